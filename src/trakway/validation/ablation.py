"""LDS of the main method (TRAK or journey-TRAK) with one setting varied at a time; all else as in the experiment."""

from collections.abc import Iterator
from dataclasses import dataclass

from trakway.errors import UserError
from trakway.plan import NEEDS, main_method, other_kind, projection_name
from trakway.plan.tables import Table

TABLE = Table(
    section="Ablation",
    caption="LDS of the main method with one setting changed at a time, with the ridge that was chosen.",
    optional=True,
    own_rule=True,
)


@dataclass(frozen=True)
class Variant:
    """One run of the ablation.

    Attributes:
        axis: what is varied: members, dim, ridge, weights, average, projection, preconditioner, checkpoints.
        value: its value, as text.
        projection: name of the projection whose features are used.
        members: number of members, None = all.
        checkpoints: how many of the last checkpoints of a run count as members.
        scores: the ``scores`` section.
    """

    axis: str
    value: str
    projection: str
    members: int | None
    checkpoints: int
    scores: dict


def variants(settings: dict) -> Iterator[Variant]:
    """Yield the ablation's runs; ridge and threshold are chosen anew in each, but on the ridge axis.

    Weights and the order of averaging are not varied in diffusion: f is minus the loss there, so that Q = 1.

    Args:
        settings: sections task, methods, projection, scores, ablation.

    Raises:
        UserError: the main method does not work from the features that are varied, or from others too.
    """
    alone = [name for name, needs in NEEDS.items() if needs == ("features",)]
    if main_method(settings) not in alone:
        raise UserError(
            f"methods: found {main_method(settings)} where the ablation needs a method that works from projected "
            f"gradients of f alone, allowed: {', '.join(alone)}; add journey_trak to methods, or do not ask for the "
            "ablation"
        )
    ablation, scores, main = settings["ablation"], settings["scores"], settings["projection"]
    name = projection_name(main)
    for members in ablation["members"]:
        yield Variant("members", str(members), name, members, 1, scores)
    if main["kind"] != "identity":
        for dim in ablation["dim"]:
            yield Variant("dim", str(dim), projection_name({**main, "dim": dim}), None, 1, scores)
    for ridge in ablation["ridge"]:
        yield Variant("ridge", f"{ridge:g}", name, None, 1, {**scores, "ridge": [ridge]})
    if settings["task"] != "image_diffusion":
        for weights in (True, False):
            value = "with Q" if weights else "without Q"
            yield Variant("weights", value, name, None, 1, {**scores, "weights": weights})
        for average in ("paper", "joint"):
            yield Variant("average", average, name, None, 1, {**scores, "average": average})
    for kind in ablation["projection"] if main["kind"] != "identity" else []:
        yield Variant("projection", kind, projection_name(other_kind(main, kind)), None, 1, scores)
    for kind in ablation["preconditioner"]:
        yield Variant("preconditioner", kind, projection_name({**main, "preconditioner": kind}), None, 1, scores)
    for checkpoints in ablation["checkpoints"]:
        yield Variant("checkpoints", str(checkpoints), name, None, checkpoints, scores)
