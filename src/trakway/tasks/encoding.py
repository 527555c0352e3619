"""What is computed once of texts for all models of an experiment: tokens, and the states of the frozen trunk.

Tokens of all texts of a split lie one after the other, without padding; ``starts`` says where each text begins.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trakway.data.texts import TextData
from trakway.errors import UserError
from trakway.models import pretrained, transformer
from trakway.runtime import resources
from trakway.storage.files import read_array, read_json, replacing, write_array, write_json
from trakway.storage.fingerprint import file_digest, fingerprint
from trakway.storage.resumable import Part, fill_arrays, row_blocks

DESCRIPTION = "encoding.json"
WEIGHTS = "encoding_pretrained.safetensors"
BLOCK = 64  # texts that go through the trunk at a time; decides the last bits of the states
TRIED = 4  # texts on which a network is tried once it is cut
CLOSE = 1e-4  # of the largest logit: the cut network and the whole one differ by rounding alone


@dataclass(frozen=True)
class Encoding:
    """Encoded texts.

    Attributes:
        config: of the network that is trained, as transformers has it.
        trained_layers: how many layers it has above the frozen trunk; None: there is no trunk.
        first_only: whether the network computes the last state of the first token alone, see `models.first_token`.
        typed: whether the network takes token types, which tell the second text of a pair from the first.
        pretrained: its pretrained weights; what it lacks is drawn.
        arrays: by split: ``starts`` int64 (n + 1,), ``tokens`` and ``types`` int32 (total,), and with a trunk
            ``states`` float32 (total, d); memory maps.
    """

    config: dict
    trained_layers: int | None
    first_only: bool
    typed: bool
    pretrained: dict[str, Tensor]
    arrays: dict[str, dict[str, np.ndarray]]

    @classmethod
    def load(cls, data: Path) -> "Encoding":
        """Open what `encode` wrote beside the prepared data.

        Raises:
            UserError: a file is missing or damaged.
        """
        try:
            found = read_json(data / DESCRIPTION)
            names = dict.fromkeys(("starts", *_inputs(None), *_inputs(found["trained_layers"])))
            arrays = {split: _read(data, split, *names) for split in found["counts"]}
            weights = load_file(data / WEIGHTS)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise UserError(
                f"{data}: the texts are not encoded as a whole ({error}); delete {data / DESCRIPTION} and run again"
            ) from None
        facts = [found[key] for key in ("config", "trained_layers", "first_only", "typed")]
        return cls(*facts, weights, arrays)

    def padded(self, split: str, rows: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Return texts at the length T of the longest: inputs, and where tokens are, float32 (B, T).

        Inputs are states (B, T, d), or tokens and types, int64 (B, T); zeros where there is no token.
        """
        return _padded(self.arrays[split], _inputs(self.trained_layers), rows)


def forward(model: Callable, inputs: Sequence[Tensor], present: Tensor, typed: bool) -> Tensor:
    """Return the logits (B, classes) of states, or of tokens and types, see `Encoding.padded`."""
    mask = torch.where(present[:, None, None] > 0, 0.0, torch.finfo(torch.float32).min)  # added to the attention
    if len(inputs) == 1:
        return model(inputs_embeds=inputs[0], attention_mask=mask).logits
    tokens, types = inputs
    return model(input_ids=tokens, attention_mask=mask, **({"token_type_ids": types} if typed else {})).logits


def encode(model: dict, texts: TextData, data: Path, device: str) -> dict:
    """Tokenise texts, run the frozen trunk over them, and write all that `Encoding.load` reads; returns the cost.

    Args:
        model: the section ``model``: options of `trakway.models.transformer.build`.
        texts: of both splits.
        data: folder of the prepared data, into which the files go.
        device: where the trunk runs.

    Raises:
        UserError: no such model, a tokeniser that does not fit, or a network that cannot be cut.
    """
    layers, name = model["trained_layers"], model["pretrained"]
    with resources.measured() as cost:
        network, drawn = transformer.load(name, texts.classes, model["dropout"])
        transformer.check_layers(network, layers)
        tokenizer = pretrained.load_tokenizer("model.pretrained", name, network.config, model["max_length"])
        counts = {split: len(labels) for split, labels in texts.labels.items()}
        truncated = {split: _tokenise(tokenizer, texts, split, model["max_length"], data) for split in counts}
        typed = "token_type_ids" in tokenizer.model_input_names
        config = transformer.config_of(network, layers)
    costs, first_only = [cost], False
    if layers is not None:
        mark = fingerprint(model, config, [file_digest(_path(data, split, "tokens")) for split in counts])
        costs += [_run_trunk(network.to(device), layers, typed, split, data, mark) for split in counts]
        network, first_only = _checked_cut(network.cpu(), layers, typed, data)
    weights = {key: tensor.contiguous() for key, tensor in network.state_dict().items() if key not in drawn}
    with replacing(data / WEIGHTS) as temporary:
        save_file(weights, temporary)
    for split, number in truncated.items():
        if number:
            whole = f"{number} of {counts[split]} {split} texts"
            print(f"note: {whole} have more than model.max_length = {model['max_length']} tokens and were cut")
    facts = {"config": config, "trained_layers": layers, "first_only": first_only, "typed": typed, "drawn": drawn}
    names = ["starts", *_inputs(None), *(() if layers is None else _inputs(layers))]
    written = [data / WEIGHTS, *(_path(data, split, name) for split in counts for name in names)]
    write_json(
        data / DESCRIPTION,
        facts | {"counts": counts, "truncated": truncated, "files": {file.name: file_digest(file) for file in written}},
    )
    return resources.add(*costs)


def _inputs(layers: int | None) -> tuple[str, ...]:
    return ("tokens", "types") if layers is None else ("states",)


def _path(data: Path, split: str, name: str) -> Path:
    return data / f"{split}_{name}.npy"


def _read(data: Path, split: str, *names: str) -> dict[str, np.ndarray]:
    return {name: read_array(_path(data, split, name)) for name in names}


def _padded(
    arrays: dict[str, np.ndarray], names: Sequence[str], rows: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    starts, ends = arrays["starts"][rows], arrays["starts"][np.asarray(rows) + 1]
    steps = np.arange((ends - starts).max(initial=0))
    present = steps < (ends - starts)[:, None]
    places = starts[:, None] + np.where(present, steps, 0)
    found = [arrays[name][places] for name in names]
    kept = [array * present.reshape(present.shape + (1,) * (array.ndim - 2)) for array in found]
    return [a.astype(np.int64 if a.dtype.kind == "i" else np.float32) for a in kept], present.astype(np.float32)


def _tokenise(tokenizer, texts: TextData, split: str, max_length: int, data: Path) -> int:
    """Write the tokens of a split; returns how many of its texts were cut."""
    given = (texts.texts[split], *([texts.pairs[split]] if texts.pairs else []))
    whole = [len(ids) for ids in tokenizer(*given, verbose=False)["input_ids"]]
    found = tokenizer(*given, truncation=True, max_length=max_length, return_token_type_ids=True)
    kept = [len(ids) for ids in found["input_ids"]]
    write_array(_path(data, split, "starts"), np.cumsum([0, *kept], dtype=np.int64))
    for name, key in (("tokens", "input_ids"), ("types", "token_type_ids")):
        write_array(_path(data, split, name), np.concatenate([np.asarray(row, np.int32) for row in found[key]]))
    return int(np.sum(np.array(whole) > np.array(kept)))


def _run_trunk(network: nn.Module, layers: int, typed: bool, split: str, data: Path, mark: str) -> dict:
    """Write what the lowest trained layer sees of each token of a split; returns the cost."""
    arrays = _read(data, split, "starts", *_inputs(None))
    starts = arrays["starts"].tolist()
    rows_of = {(starts[rows.start], starts[rows.stop]): rows for rows in row_blocks(len(starts) - 1, BLOCK)}

    def compute(block: slice) -> tuple[np.ndarray]:
        rows = rows_of[block.start, block.stop]
        return (_states(network, layers, typed, arrays, np.arange(rows.start, rows.stop)),)

    shape = (starts[-1], network.config.hidden_size)
    part = Part([_path(data, split, "states")], [shape], [slice(*ends) for ends in rows_of], compute)
    return fill_arrays([part], mark, f"blocks of {split} texts through the frozen layers")


@torch.no_grad()
def _states(
    network: nn.Module, layers: int, typed: bool, arrays: dict[str, np.ndarray], rows: np.ndarray
) -> np.ndarray:
    """Return what the lowest trained layer of a whole network sees of each token of some texts, (tokens, d)."""
    device = next(network.parameters()).device
    inputs, present = _padded(arrays, _inputs(None), rows)
    inputs, present = [torch.from_numpy(array).to(device) for array in inputs], torch.from_numpy(present).to(device)
    seen = []
    hook = transformer.layers_of(network)[-layers].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        forward(network, inputs, present, typed)
    finally:
        hook.remove()
    return seen[0][present > 0].cpu().numpy()


def upper_part(encoding: Encoding, network: nn.Module, drawn: Sequence[str], path: Path) -> nn.Module:
    """Return what is attributed of a user's own whole network: all of it, or its part above the frozen trunk.

    Args:
        encoding: of the experiment.
        network: as it was loaded, with its own head.
        drawn: names of the weights that its folder lacks.
        path: the folder, for messages.

    Raises:
        UserError: weights are missing, or it is another network than the experiment's, or has another trunk.
    """
    if drawn:
        raise UserError(f"{path}: found no weights for {', '.join(drawn)}; give models fine-tuned to classify")
    layers = encoding.trained_layers
    found, expected = transformer.config_of(network, layers), encoding.config
    keys = ("model_type", "hidden_size", "num_hidden_layers", "vocab_size", "num_attention_heads")
    for key in keys:
        if found.get(key) != expected.get(key):
            raise UserError(
                f"{path}: its {key} is {found.get(key)}, and that of model.pretrained {expected.get(key)}; set"
                " model.pretrained to what these models were fine-tuned from"
            )
    if layers is None:
        return network
    transformer.check_layers(network, layers)
    arrays = encoding.arrays["train"]
    first = np.arange(min(TRIED, len(arrays["starts"]) - 1))
    known = arrays["states"][: arrays["starts"][first[-1] + 1]]
    states = _states(network, layers, encoding.typed, arrays, first)
    if not np.allclose(states, known, rtol=CLOSE, atol=CLOSE * np.abs(known).max()):
        raise UserError(
            f"{path}: its layers below the upper {layers} (model.trained_layers) are not those of model.pretrained, in"
            " number or in weights, which were run once for all models; set model.trained_layers: null, or"
            " model.pretrained to what this one was fine-tuned from"
        )
    return transformer.cut(network, layers, encoding.first_only)


@torch.no_grad()
def _checked_cut(network: nn.Module, layers: int, typed: bool, data: Path) -> tuple[nn.Module, bool]:
    """Return the network without its trunk, and whether its last layer is `FirstToken`.

    What is returned says of the states what the whole network says of the tokens: this is tried.

    Raises:
        UserError: it does not: its trunk hands over more than states.
    """
    arrays = _read(data, "train", "starts", "states", *_inputs(None))
    rows = np.arange(min(TRIED, len(arrays["starts"]) - 1))
    (tokens, present), (states, _) = (_padded(arrays, _inputs(kept), rows) for kept in (None, layers))
    present = torch.from_numpy(present)
    expected = forward(network, [torch.from_numpy(array) for array in tokens], present, typed)
    for first_only in (True, False) if transformer.has_first_token(network) else (False,):
        upper = transformer.cut(copy.deepcopy(network), layers, first_only)
        found = forward(upper, [torch.from_numpy(array) for array in states], present, typed)
        if torch.allclose(found, expected, rtol=CLOSE, atol=CLOSE * float(expected.abs().max())):
            return upper, first_only
    raise UserError(
        f"model.trained_layers: found {layers}, but the layers of {type(network).__name__} hand over more than"
        " their states, so that the lower ones cannot be run once for all; allowed: null, everything is trained"
    )
