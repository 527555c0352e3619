"""LDS of the main method (TRAK or journey-TRAK) with one setting varied at a time; all else as in the experiment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.reading import load_features
from trakway.attribution.scoring import run_method
from trakway.errors import UserError
from trakway.plan import Chosen, main_method, methods_of, modality_of, other_kind, projection_name
from trakway.report.tables import Table
from trakway.runtime.progress import track

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
        axis: what is varied: members, dim, ridge, weights, average, projection, preconditioner, parameters,
            checkpoints.
        value: its value, as text.
        projection: name of the projection whose features are used.
        members: number of members, None = all.
        checkpoints: how many of the last checkpoints of a run count as members.
        chosen: the main method with its options.
    """

    axis: str
    value: str
    projection: str
    members: int | None
    checkpoints: int
    chosen: Chosen


def variants(settings: dict) -> Iterator[Variant]:
    """Yield the ablation's runs; ridge and threshold are chosen anew in each, but on the ridge axis.

    Weights and the order of averaging are not varied where f is minus the loss, so that Q = 1.

    Args:
        settings: sections task, methods, projection, scores, ablation.

    Raises:
        UserError: the main method does not work from the features that are varied, or from others too.
    """
    chosen = methods_of(settings)[main_method(settings)]
    if chosen.method.reads != ("features",):
        alone = [name for name, other in methods_of(settings).items() if other.method.reads == ("features",)]
        raise UserError(
            f"methods: found {chosen.name} where the ablation needs a method that works from projected gradients of f "
            f"alone, allowed: {', '.join(alone) or 'trak, journey_trak'}; name it first among methods, or do not ask "
            "for the ablation"
        )
    ablation, main = settings["ablation"], settings["projection"]
    name = projection_name(main)

    def having(**options) -> Chosen:
        return replace(chosen, options={**chosen.options, **options})

    for members in ablation["members"]:
        yield Variant("members", str(members), name, members, 1, chosen)
    if main["kind"] != "identity":
        for dim in ablation["dim"]:
            yield Variant("dim", str(dim), projection_name({**main, "dim": dim}), None, 1, chosen)
    if "ridge" in chosen.options:
        for ridge in ablation["ridge"]:
            yield Variant("ridge", f"{ridge:g}", name, None, 1, having(ridge=[ridge]))
    if not modality_of(settings).has(needs=("unit_slope",)) and "weights" in chosen.options:
        for weights in (True, False):
            yield Variant("weights", "with Q" if weights else "without Q", name, None, 1, having(weights=weights))
        for average in ("paper", "joint"):
            yield Variant("average", average, name, None, 1, having(average=average))
    for kind in ablation["projection"] if main["kind"] != "identity" else []:
        yield Variant("projection", kind, projection_name(other_kind(main, kind)), None, 1, chosen)
    for kind in ablation["preconditioner"]:
        yield Variant("preconditioner", kind, projection_name({**main, "preconditioner": kind}), None, 1, chosen)
    for pattern in ablation["parameters"]:
        changed = projection_name({**main, "parameters": pattern})
        yield Variant("parameters", pattern or "all", changed, None, 1, chosen)
    for checkpoints in ablation["checkpoints"]:
        yield Variant("checkpoints", str(checkpoints), name, None, checkpoints, chosen)


def ablation_runs(
    settings: dict, material: Material, evaluated: int, files: Sequence[Path]
) -> Iterator[tuple[Variant, np.ndarray, dict]]:
    """Score every variant.

    Args:
        settings: see `variants`.
        material: with the inputs of the main method, ``checkpoints``, and the estimation bank where options are chosen.
        evaluated: number of evaluated targets.
        files: features of all projections that are varied, in features/PROJECTION/FUNCTION/CHECKPOINT/SHARD.

    Yields:
        (variant, scores (evaluated, n), number of members, dimension and ridge of the run).
    """
    folders: dict[str, list[Path]] = {}
    for folder in dict.fromkeys(file.parent for file in files):
        folders.setdefault(folder.parents[2].name, []).append(folder)
    for variant in track(list(variants(settings)), "ablation runs"):
        features = load_features(folders[variant.projection])[: variant.members]
        if variant.checkpoints > 1:
            features = [entry for members in material.checkpoints[-variant.checkpoints :] for entry in members]
        scores = np.empty((evaluated, material.size), np.float32)
        record = run_method(variant.chosen, material.replace(features=features, cache={}), evaluated, scores)
        yield variant, scores, {key: record[key] for key in ("members", "dim", "ridge")}
