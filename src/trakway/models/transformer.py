"""Pretrained encoders of ``transformers`` with a classification head, whole or cut below their trained layers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trakway.errors import UserError
from trakway.models import pretrained as sources

if TYPE_CHECKING:
    from torch import nn

LAYERS = ("encoder.layer", "transformer.layer")
"""Where encoders keep their list of layers, below the model without head."""


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    pretrained: str = "minilm",
    trained_layers: int | None = None,
    max_length: int = 128,
    dropout: float = 0.0,
) -> "nn.Module":
    """Load a whole network: token ids (B, length) to logits.

    Weights that the pretrained model lacks, as a rule the head's, are drawn from torch's global generator.

    Args:
        shape: of an example, not used: texts have any length.
        classes: how many logits.
        pretrained: ``minilm``, a folder of ``save_pretrained``, or a name on the hub of Hugging Face.
        trained_layers: how many of the upper layers are trained and attributed, with the pooler and the head; None:
            everything, embeddings included.
        max_length: tokens of an example; what is longer is cut.
        dropout: in training, everywhere.

    Raises:
        UserError: there is no such model, or it does not fit these options.
    """
    return load(pretrained, [f"LABEL_{number}" for number in range(classes)], dropout)[0]


def faults(options: dict, side: int | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with options before anything is loaded: key, what is allowed, advice."""
    layers = options["trained_layers"]
    if layers is not None and (not isinstance(layers, int) or isinstance(layers, bool) or layers < 1):
        yield "trained_layers", "a whole number >= 1, or null for everything", "Change it."
    if options["max_length"] < 3:
        yield "max_length", "a whole number >= 3: of every text two tokens are marks", "Raise it."
    if not 0 <= options["dropout"] < 1:
        yield "dropout", "a number from 0 to below 1", "Change it."
    yield from sources.faults("pretrained", options["pretrained"])


def files(options: dict) -> list[Path]:
    """Return the files on this machine that the weights and the tokeniser come from; none of a name on the hub."""
    return sources.files(options["pretrained"])


def load(
    pretrained: str, classes: Sequence[str], dropout: float = 0.0, key: str = "model.pretrained"
) -> tuple["nn.Module", list[str]]:
    """Return a whole network as float32 on the CPU, in eval mode, and the names of the weights it had to draw.

    Args:
        pretrained: as in `build`.
        classes: names of the logits.
        dropout: in training, everywhere.
        key: of the experiment, that names the model.

    Raises:
        UserError: there is no such model, it lacks weights below its head, or its head has other classes.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    with sources.loading(key, pretrained, "model for the classification of sequences"):
        model, info = AutoModelForSequenceClassification.from_pretrained(
            sources.located(pretrained),
            num_labels=len(classes),
            dtype=torch.float32,
            attn_implementation="eager",  # which vmap can take apart, and adds up in a fixed order
            **sources.how(sources.located(pretrained)),
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    if info["mismatched_keys"]:
        names = ", ".join(sorted(str(name[0]) for name in info["mismatched_keys"]))
        raise UserError(
            f"{key}: {pretrained} has weights of another shape ({names}) than {len(classes)} classes need; allowed: a"
            f" model with a head for {', '.join(classes)}, in this order, or to start from one without a head"
        )
    missing = sorted(info["missing_keys"])
    lacking = [name for name in missing if _below_the_head(name, model.base_model_prefix)]
    if lacking:
        raise UserError(
            f"{key}: {pretrained} lacks {len(lacking)} weights below the head, e.g. {', '.join(lacking[:3])}; allowed:"
            " a model with all of them, under the names of transformers; save it anew with save_pretrained, of the"
            " model itself and not of what wraps it"
        )
    _check_classes(model.config, classes, key, pretrained, headless=bool(missing))
    for name in vars(model.config):
        if name.endswith(("dropout", "dropout_prob")):
            setattr(model.config, name, dropout)
    return model.eval(), missing


def _below_the_head(name: str, base: str) -> bool:
    """Whether a weight is one of the encoder, without which states mean nothing; a pooler belongs to the head."""
    return name.startswith(f"{base}.") and ".pooler." not in name


def _check_classes(config, classes: Sequence[str], key: str, pretrained: str, headless: bool) -> None:
    """Check that a head's logits are the classes, where the model names them.

    Raises:
        UserError: it has them in another order.
    """
    names = [config.id2label[number] for number in sorted(config.id2label)]
    if headless or all(name.startswith("LABEL_") for name in names):
        return
    found, wanted = ([name.casefold() for name in of] for of in (names, classes))
    if found != wanted and sorted(found) == sorted(wanted):
        raise UserError(
            f"{key}: the head of {pretrained} has the classes {', '.join(names)}, and the data {', '.join(classes)};"
            " allowed: the same order; sort the rows of its last layer, and id2label, as the data are sorted, by name"
        )
    if found != wanted:
        print(f"note: {key}: the head of {pretrained} calls the classes {', '.join(classes)}: {', '.join(names)}")


def config_of(model: "nn.Module", layers: int | None) -> dict:
    """Return the configuration of a network as plain values, of one cut above its frozen layers if asked."""
    config = model.config.to_dict()
    return config if layers is None else config | {"num_hidden_layers": layers}


def untrained(config: dict, layers: int | None, first_only: bool) -> "nn.Module":
    """Build a network from its configuration, all weights drawn from torch's global generator; `cut` if asked."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    rest = {key: value for key, value in config.items() if key != "model_type"}
    if layers is not None:  # of embeddings that are cut off no more is drawn than has to be
        padding = config.get("pad_token_id") or 0
        rest |= {"vocab_size": padding + 1, "max_position_embeddings": padding + 2}
    found = AutoConfig.for_model(config["model_type"], **rest)
    model = AutoModelForSequenceClassification.from_config(found, attn_implementation="eager")
    return model if layers is None else cut(model, layers, first_only)


def layers_of(model: "nn.Module") -> "nn.ModuleList | None":
    """Return the list of layers of a network; None where it has none below which it can be cut."""
    holder = _holder(model)
    return getattr(*holder) if holder else None


def _holder(model: "nn.Module") -> tuple["nn.Module", str] | None:
    """Return the module that holds the list of layers, and what it calls it."""
    base = model.base_model
    for path in LAYERS if hasattr(base, "embeddings") else ():
        outer, _, name = path.rpartition(".")
        if hasattr(getattr(base, outer, None), name):
            return getattr(base, outer), name
    return None


def check_layers(model: "nn.Module", layers: int | None) -> None:
    """Check that a network has as many layers as are to be trained.

    Raises:
        UserError: it has fewer, or no list of them.
    """
    found, kind = layers_of(model), type(model).__name__
    if layers is None or (found is not None and layers <= len(found)):
        return
    allowed = f"null: {kind} has no list of layers" if found is None else f"at most {len(found)}, or null"
    raise UserError(f"model.trained_layers: found {layers}; allowed: {allowed}, which trains everything; change it")


def cut(model: "nn.Module", layers: int, first_only: bool) -> "nn.Module":
    """Leave a network its upper ``layers`` and what is above; it then takes ``inputs_embeds``, states (B, T, d).

    Args:
        model: a whole network, which is changed.
        layers: how many are left.
        first_only: whether the last one computes the state of the first token alone, see `FirstToken`.
    """
    from trakway.models.first_token import FirstToken

    holder, name = _holder(model)
    every = getattr(holder, name)
    upper = every[len(every) - layers :]
    if first_only:
        upper[-1] = FirstToken(upper[-1])
    setattr(holder, name, upper)
    model.base_model.embeddings = _passing()
    return model


def has_first_token(model: "nn.Module") -> bool:
    """Whether the last layer of a network can be tried as `FirstToken`."""
    from trakway.models.first_token import fits

    return fits(layers_of(model)[-1])


def with_trained(model: "nn.Module", layers: int | None, weights: dict) -> "nn.Module":
    """Lay trained weights over a whole network: of one cut above its frozen layers, or of all of it."""
    if layers is None:
        model.load_state_dict(weights)
        return model
    (holder, name), embeddings = _holder(model), model.base_model.embeddings
    every = getattr(holder, name)
    cut(model, layers, first_only=False).load_state_dict(weights)
    setattr(holder, name, every)  # whose upper layers are those that have just been loaded
    model.base_model.embeddings = embeddings
    return model


def save_tokenizer(pretrained: str, folder: Path) -> None:
    """Write the tokeniser that lies beside pretrained weights to a folder of ``save_pretrained``."""
    from transformers import AutoTokenizer

    AutoTokenizer.from_pretrained(sources.located(pretrained)).save_pretrained(folder)


def _passing() -> "nn.Module":
    """Return what stands in the place of embeddings: the states are there already."""
    from torch import Tensor, nn

    class Passing(nn.Module):
        def forward(self, *given, **named):
            """Return the states, wherever a network hands them to its embeddings."""
            found = (*given, *named.values())
            return next(one for one in found if isinstance(one, Tensor) and one.ndim == 3)

    return Passing()
