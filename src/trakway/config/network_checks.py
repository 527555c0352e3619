"""Checks of the networks and of their training: the experiment's own, its autoencoder and its domain's classifier."""

from collections.abc import Iterator

from trakway.config.problems import Fault
from trakway.plan.datasets import dataset_of
from trakway.plan.ensembles import ALONE
from trakway.plan.loading import load
from trakway.plan.modalities import Modality, modality, modality_of
from trakway.plan.options import option_faults, options_of
from trakway.plan.places import defines, is_own, place


def image_side(settings: dict) -> int | None:
    """Return the side of the experiment's images in pixels, None where only the data tell."""
    return settings["dataset"]["image_size"] or dataset_of(settings).side


def state_side(settings: dict) -> int | None:
    """Return the side of what the experiment's network is given: of images, or of the latents of its autoencoder.

    None where only the data, or the autoencoder, tell.
    """
    task, side, section = modality_of(settings).autoencoder, image_side(settings), settings["autoencoder"]
    if not task:
        return side
    network = section and section["model"]
    if side is None or not network or is_own(network["name"]):
        return None
    if any(_network("autoencoder.model", network, modality(task), task, side)):
        return None
    return side // 2 ** (len(options_of("model", network)["widths"]) - 1)


def check_networks(settings: dict) -> Iterator[Fault]:
    """Check ``model`` and ``training``, of the experiment, of ``autoencoder`` and ``domain``."""
    own, n, side = modality_of(settings), settings["dataset"]["train_size"], image_side(settings)
    yield from _network("model", settings["model"], own, settings["task"], state_side(settings))
    yield from _training("training", settings["training"], own, settings["task"])
    for name in ALONE:
        section, task = settings[name], getattr(own, name)
        if section is None or section["model"] is None or not task:
            continue
        yield from _network(f"{name}.model", section["model"], modality(task), task, side)
        yield from _training(f"{name}.training", section["training"], modality(task), task)
        if n is not None and section["training"]["batch_size"] > n:
            yield (
                f"{name}.training.batch_size",
                f"at most dataset.train_size = {n}, all of which it sees",
                "Lower the batch size or raise dataset.train_size.",
            )


def _network(key: str, model: dict, of: Modality, task: str, side: int | None) -> Iterator[Fault]:
    if not is_own(model["name"]) and model["name"] not in of.models:
        yield (
            f"{key}.name",
            f"for the task {task}: {', '.join((*of.models, 'FILE.py:NAME'))}",
            "Choose another network or task.",
        )
        return
    wrong = list(option_faults("model", model, key))
    yield from wrong
    if not wrong and not is_own(model["name"]) and defines(place("model", model["name"]).file, "faults"):
        faults = load("model", model["name"], "faults")
        yield from ((f"{key}.{option}", *said) for option, *said in faults(options_of("model", model), side))


def _training(key: str, training: dict, of: Modality, task: str) -> Iterator[Fault]:
    if training["augmentation"] not in of.augmentations:
        yield (
            f"{key}.augmentation",
            f"for the task {task}: {', '.join(of.augmentations)}",
            "Choose one of these, or remove the key.",
        )
    epochs, steps = training["epochs"], training["steps"]
    if epochs is None and steps is None:
        yield f"{key}.epochs", f"a whole number >= 1 while {key}.steps is null", "Set one of the two."
    elif epochs is not None and steps is not None:
        yield (
            f"{key}.steps",
            f"null while {key}.epochs = {epochs}: one of the two says how long to train",
            "Set the other to null.",
        )
    else:
        unit, most = ("epochs", epochs) if steps is None else ("steps", steps)
        if training["checkpoints"] > most:
            yield (
                f"{key}.checkpoints",
                f"at most {key}.{unit} = {most}: a run keeps one checkpoint after each at most",
                f"Lower checkpoints or raise {unit}.",
            )
