"""Checks of what only tasks with steps have: noise schedule, trajectories, patches, domain."""

from collections.abc import Iterator

from trakway.config.network_checks import image_side
from trakway.config.problems import Fault, absent, value_at
from trakway.plan.datasets import dataset_of
from trakway.plan.modalities import modalities, modality_of

OWN = {
    "autoencoder": None,
    "domain": None,
    "journey.timesteps": None,
    "journey.patches": [],
    "targets.real": 0,
    "targets.captions": [],
    "targets.exchanged": 0,
    "removal.timesteps": None,
}
"""Settings of these tasks alone: key to the value that stands for none."""

NEEDED = {
    "domain": "a mapping with model and training, the classifier that compares images,",
    "journey.timesteps": "a list of steps to attribute",
    "removal.timesteps": "a list of those of journey.timesteps whose scores choose what to remove",
}


def check_steps(settings: dict) -> Iterator[Fault]:
    """Check that an experiment with steps is complete and consistent, and that no other has parts of one."""
    if not modality_of(settings).has(needs=("steps",)):
        yield from _other_task(settings)
        return
    yield from _needs(settings)
    yield from _autoencoder(settings)
    yield from _captions(settings)
    yield from _schedule(settings)
    yield from _removal_timesteps(settings)
    yield from _patches(settings)


def _other_task(s: dict) -> Iterator[Fault]:
    for key, none in OWN.items():
        if value_at(s, key) != none:
            said = "null" if none is None else none
            stepping = ", ".join(name for name, modality in modalities().items() if modality.has(needs=("steps",)))
            allowed = f"{said} for the task {s['task']}, which has no steps"
            yield key, allowed, f"Remove the key, or choose a task that has: {stepping}."


def _needs(s: dict) -> Iterator[Fault]:
    for key, allowed in NEEDED.items():
        if value_at(s, key) is None:
            yield key, f"{allowed} for the task {s['task']}", "Add this key."


def _autoencoder(s: dict) -> Iterator[Fault]:
    section, wanted = s["autoencoder"], modality_of(s).autoencoder
    if not wanted:
        if section is not None:
            yield "autoencoder", f"null for the task {s['task']}, which adds noise to pixels", "Remove the key."
    elif section is None:
        yield "autoencoder", f"a mapping with model and training, or pretrained, for the task {s['task']}", "Add it."
    elif (section["model"] is None) == (section["pretrained"] is None):
        yield "autoencoder.model", "a network to train, or null beside autoencoder.pretrained", "Give one of the two."
    elif section["pretrained"] is not None and not dataset_of(s).remote:  # a large set's folders may lie elsewhere
        yield from absent("autoencoder.pretrained", section["pretrained"])


def _captions(s: dict) -> Iterator[Fault]:
    targets, read = s["targets"], modality_of(s).has(needs=("caption",))
    most = targets["count"]
    for key, found in (("exchanged", targets["exchanged"]), ("captions", len(targets["captions"]))):
        if found and not read:
            none = OWN[f"targets.{key}"]
            yield f"targets.{key}", f"{none} for the task {s['task']}, whose models read no captions", "Remove the key."
        elif found > most:
            number = "at most" if key == "exchanged" else "as many at most as"
            yield f"targets.{key}", f"{number} targets.count = {most}, the samples there are", "Lower it."
    if read and s["diffusion"]["guidance"] != 1 and s["diffusion"]["caption_dropout"] == 0:
        yield (
            "diffusion.caption_dropout",
            f"more than 0 with diffusion.guidance = {s['diffusion']['guidance']:g}, which moves samples away from what"
            " is predicted without a caption: a model that always had one has not learned that",
            "Raise it, 0.1 is usual, or set guidance to 1.",
        )


def _schedule(s: dict) -> Iterator[Fault]:
    last, sampled = s["diffusion"]["timesteps"], s["diffusion"]["sampling_steps"]
    if s["journey"]["window"] > last:
        yield "journey.window", f"at most diffusion.timesteps = {last}", "Lower it."
    if last % sampled:
        yield (
            "diffusion.sampling_steps",
            f"a divisor of diffusion.timesteps = {last}: sampling takes every so many steps of the schedule",
            "Choose a divisor.",
        )
        return
    stride = last // sampled
    for i, step in enumerate(s["journey"]["timesteps"] or ()):
        if step >= last or step % stride:
            yield (
                f"journey.timesteps.{i}",
                f"a step of the sampling: a multiple of diffusion.timesteps / diffusion.sampling_steps = {stride},"
                f" above 0 and below {last}",
                "Choose another step, or other sampling_steps.",
            )


def _removal_timesteps(s: dict) -> Iterator[Fault]:
    steps = s["journey"]["timesteps"]
    for i, step in enumerate(s["removal"]["timesteps"] or ()):
        if steps is not None and step not in steps:
            yield f"removal.timesteps.{i}", f"those of journey.timesteps: {_listed(steps)}", "Choose among these."


def _patches(s: dict) -> Iterator[Fault]:
    steps, side, seen = s["journey"]["timesteps"], image_side(s), set()
    for i, patch in enumerate(s["journey"]["patches"]):
        key = f"journey.patches.{i}"
        if patch["name"] in seen:
            yield f"{key}.name", "a name that no other patch has", "Rename one of the two."
        seen.add(patch["name"])
        if steps is not None and patch["timestep"] not in steps:
            yield f"{key}.timestep", f"one of journey.timesteps: {_listed(steps)}", "Choose one of these."
        top, left, height, width = patch["box"]
        if min(height, width) < 1 or (side is not None and max(top + height, left + width) > side):
            within = "" if side is None else f", within an image of {side} pixels a side"
            yield f"{key}.box", f"top, left, height >= 1 and width >= 1{within}", "Move or shrink the box."


def _listed(steps: list[int]) -> str:
    return ", ".join(map(str, steps))
