"""Where the files of an experiment lie, below its folder."""

from collections.abc import Iterable

from trakway.plan.ensembles import ensemble_shards
from trakway.plan.projections import preconditioner_name, projection_name, projections


def shard_files(settings: dict, ensemble: str, folder: str, suffix: str) -> list[str]:
    """Return one path a shard of an ensemble, e.g. ``outputs/evaluation/00000-00025.npy``."""
    return [f"{folder}/{ensemble}/{shard}{suffix}" for shard in ensemble_shards(settings, ensemble)]


def feature_folders(
    settings: dict, function: str, checkpoints: Iterable[int] | None = None, projection: str | None = None
) -> list[str]:
    """Return one path a shard of members and checkpoint: ``PROJECTION/FUNCTION/CHECKPOINT/SHARD``.

    Args:
        settings: of the experiment.
        function: whose gradients, see `trakway.tasks`.
        checkpoints: of the members; None: the final one.
        projection: its name; None: the experiment's own.
    """
    projection = projection or projection_name(settings["projection"])
    checkpoints = [final_checkpoint(settings)] if checkpoints is None else checkpoints
    return [
        f"{projection}/{function}/{checkpoint}/{shard}"
        for checkpoint in checkpoints
        for shard in ensemble_shards(settings, "members")
    ]


def feature_files(folders: Iterable[str], targets: bool = True) -> list[str]:
    """Return the descriptions of features, which are written last: of training examples and, if asked, of targets."""
    names = ("train.json", "targets.json") if targets else ("train.json",)
    return [f"features/{folder}/{name}" for folder in folders for name in names]


def feature_costs(settings: dict, folders: Iterable[str], targets: bool = True) -> list[str]:
    """Return the costs of features, of the preconditioners that they take among them."""
    parts = ("train", "targets") if targets else ("train",)
    found = [f"costs/features/{folder}/{part}.json" for folder in folders for part in parts]
    for folder in folders:
        projection, _, checkpoint, shard = folder.split("/")
        if name := preconditioner_name(named_projection(settings, projection)):
            found.append(f"costs/preconditioners/{name}/{checkpoint}/{shard}.json")
    return list(dict.fromkeys(found))


def metagradient_names(settings: dict) -> list[str]:
    """Return one name a differentiated training run, ``metagradients/AT/NUMBER``."""
    chosen = settings["metagradient"]
    return [f"metagradients/{at}/{run}" for at in chosen["at"] for run in range(chosen["runs"])]


INFLUENCES = ("ekfac", "ekfac_cg")
"""How influences by curvature are solved for: names of methods, of what they read, and of folders."""


def influence_names(settings: dict, kind: str) -> list[str]:
    """Return one name a member whose curvature is used, ``influences/KIND/MEMBER``."""
    count = min(settings["curvature"]["members"], settings["members"]["count"])
    return [f"influences/{kind}/{member}" for member in range(count)]


def final_checkpoint(settings: dict) -> int:
    """Return the number of the checkpoint that is the final model."""
    return settings["training"]["checkpoints"] - 1


def named_projection(settings: dict, name: str) -> dict:
    """Return one of the projections of an experiment by its name."""
    return projections(settings)[name]
