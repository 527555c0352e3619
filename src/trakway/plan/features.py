"""Where the features of members lie."""

from collections.abc import Iterable

from trakway.plan.ensembles import ensemble_shards
from trakway.plan.functions import feature_functions
from trakway.plan.projections import projection_name


def feature_shards(
    need: str, settings: dict, projection: str | None = None, checkpoints: Iterable[int] | None = None
) -> list[str]:
    """Return the names of the shards of a need's features, ``PROJECTION/FUNCTION/CHECKPOINT/SHARD``.

    Args:
        need: as in `trakway.plan.functions.feature_functions`.
        settings: of the experiment.
        projection: name of the projection, by default the experiment's own.
        checkpoints: by default those that the need asks for: the final one, or all.
    """
    every = settings["training"]["checkpoints"]
    projection = projection or projection_name(settings["projection"])
    if checkpoints is None:
        checkpoints = range(every) if need == "checkpoints" else [every - 1]
    return [
        f"{projection}/{function}/{checkpoint}/{shard}"
        for function in feature_functions(need, settings)
        for checkpoint in checkpoints
        for shard in ensemble_shards(settings, "members")
    ]
