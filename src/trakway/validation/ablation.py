"""LDS of TRAK with one setting varied at a time; everything else as in the experiment."""

from collections.abc import Iterator
from dataclasses import dataclass

from trakway.plan import projection_name


@dataclass(frozen=True)
class Variant:
    """One TRAK run of the ablation.

    Attributes:
        axis: what is varied: members, dim, ridge, weights, average, projection, checkpoints.
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
    """Yield the ablation's runs; ridge and threshold are chosen anew in each, but on the ridge axis."""
    ablation, scores, main = settings["ablation"], settings["scores"], settings["projection"]
    name = projection_name(main)
    for members in ablation["members"]:
        yield Variant("members", str(members), name, members, 1, scores)
    if main["kind"] != "identity":
        for dim in ablation["dim"]:
            yield Variant("dim", str(dim), projection_name({**main, "dim": dim}), None, 1, scores)
    for ridge in ablation["ridge"]:
        yield Variant("ridge", f"{ridge:g}", name, None, 1, {**scores, "ridge": [ridge]})
    for weights in (True, False):
        yield Variant("weights", "with Q" if weights else "without Q", name, None, 1, {**scores, "weights": weights})
    for average in ("paper", "joint"):
        yield Variant("average", average, name, None, 1, {**scores, "average": average})
    for kind in ablation["projection"] if main["kind"] != "identity" else []:
        projection = {"kind": kind, "dim": None} if kind == "identity" else {**main, "kind": kind}
        yield Variant("projection", kind, projection_name(projection), None, 1, scores)
    for checkpoints in ablation["checkpoints"]:
        yield Variant("checkpoints", str(checkpoints), name, None, checkpoints, scores)
