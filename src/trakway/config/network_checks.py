"""Checks of the networks and of their training: the experiment's own, and its domain's classifier."""

from collections.abc import Iterator

from trakway.config.problems import Fault

DIFFUSION = "image_diffusion"
UNET = "unet"
SIDES = {"digits": 8, "fashion_mnist": 28, "cifar10": 32}
"""The images' own side in pixels, for the data sets that have one."""

_UNET_KEYS = {
    "widths": ("a list of channels, one a stage,", "[32, 64]"),
    "layers": ("a whole number >= 1", "2"),
    "attention": ("a list of sides of feature maps", "[], for no attention"),
    "norm_groups": ("a whole number >= 1", "8"),
}


def image_side(settings: dict) -> int | None:
    """Return the side of the experiment's images in pixels, None where only the data tell."""
    return settings["dataset"]["image_size"] or SIDES.get(settings["dataset"]["name"])


def check_networks(settings: dict) -> Iterator[Fault]:
    """Check ``model`` and ``training``, of the experiment and of ``domain``."""
    model, domain, n = settings["model"], settings["domain"], settings["dataset"]["train_size"]
    predicts_noise = settings["task"] == DIFFUSION
    if predicts_noise != (model["name"] == UNET):
        yield (
            "model.name",
            f"{'unet' if predicts_noise else 'a network that classifies, not unet,'} for the task {settings['task']}",
            "Choose another network or task.",
        )
    else:
        yield from _unet(model, image_side(settings)) if predicts_noise else _classifier("model", model)
    yield from _training("training", settings["training"])
    if domain is not None:
        if domain["model"]["name"] == UNET:
            yield "domain.model.name", "a network that classifies, not unet", "Choose another network."
        else:
            yield from _classifier("domain.model", domain["model"])
        yield from _training("domain.training", domain["training"])
        if n is not None and domain["training"]["batch_size"] > n:
            yield (
                "domain.training.batch_size",
                f"at most dataset.train_size = {n}, all of which the classifier sees",
                "Lower the batch size or raise dataset.train_size.",
            )


def _classifier(key: str, model: dict) -> Iterator[Fault]:
    name = model["name"]
    if name == "resnet_small" and model["widths"] is None:
        yield f"{key}.widths", "a list of channels for resnet_small", "Set it, e.g. to [16, 32, 64], or remove the key."
    free = ("resnet_small", UNET)
    owners = {"widths": free, "layers": (UNET,), "attention": (UNET,), "norm_groups": (UNET,)}
    for option, names in owners.items():
        if name not in names and model[option] is not None:
            yield (
                f"{key}.{option}",
                f"null for {name}: an option of {' and '.join(names)}",
                f"Set `{option}: null`, or `name: {names[0]}`.",
            )


def _unet(model: dict, side: int | None) -> Iterator[Fault]:
    for option, (allowed, example) in _UNET_KEYS.items():
        if model[option] is None:
            yield f"model.{option}", f"{allowed} for unet", f"Set it, e.g. to {example}."
    widths, groups = model["widths"], model["norm_groups"]
    if widths and groups and any(width % groups for width in widths):
        yield (
            "model.norm_groups",
            f"a divisor of every one of model.widths: {', '.join(map(str, widths))}",
            "Choose one, or change the widths.",
        )
    if widths and side is not None:
        yield from _stages(widths, model["attention"] or [], side)


def _stages(widths: list[int], attention: list[int], side: int) -> Iterator[Fault]:
    """Check the stages of a UNet, each of which halves the feature maps of the one before."""
    halvings = len(widths) - 1
    if side % 2**halvings:
        yield (
            "model.widths",
            f"stages that can halve an image of {side} pixels a side, not {halvings} times",
            "Take fewer widths, or set dataset.image_size to what can be halved as often.",
        )
        return
    sides = [side // 2**stage for stage in range(halvings + 1)]
    for i, resolution in enumerate(attention):
        if resolution not in sides:
            yield (
                f"model.attention.{i}",
                f"the sides of the stages' feature maps: {', '.join(map(str, sides))}",
                "Choose among these, or change dataset.image_size or the number of model.widths.",
            )


def _training(key: str, training: dict) -> Iterator[Fault]:
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
