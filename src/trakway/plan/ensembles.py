"""The ensembles of an experiment."""

from trakway.plan.methods import step_methods
from trakway.plan.removal import count_removal_rows
from trakway.plan.shards import shards

ALONE = ("autoencoder", "domain")
"""Ensembles of one model, of a task and a section of its own, that is trained on all prepared examples."""

FIXED = {"fixed": "fixed", "reference_fixed": "reference", "removal_fixed": "removal"}
"""The ensembles whose models are differentiated runs without some examples, and whose subsets they have."""


def subsets_of(ensemble: str) -> str:
    """Return the ensemble whose subsets an ensemble has: itself, but at a fixed seed."""
    return FIXED.get(ensemble, ensemble)


COMPLETING = ("reference", "removal", "reference_fixed", "removal_fixed")
"""The ensembles that images are drawn from along trajectories, where there are any."""


def ensemble_sizes(settings: dict) -> dict[str, tuple[int, int]]:
    """Return for each ensemble its number of subsets and of seeds a subset."""
    bank, removal = settings["bank"], settings["removal"]
    rows = count_removal_rows(removal, step_methods(settings))
    sizes = {
        "members": (len(settings["members"]["checkpoints"] or ()) or settings["members"]["count"], 1),
        "evaluation": (bank["evaluation"]["subsets"], bank["evaluation"]["seeds"]),
        "estimation": (bank["estimation"]["subsets"], bank["estimation"]["seeds"]),
        "reference": (1, removal["reference"]),
        "removal": (rows, removal["seeds"]),
    }
    if bank["fixed"]:
        sizes["fixed"] = (len(bank["fixed"]["dropped"]) * bank["fixed"]["subsets"], 1)
    if removal["fixed"]:
        sizes |= {f"{name}_fixed": (sizes[name][0], removal["fixed"]) for name in ("reference", "removal")}
    return sizes | {name: (1, 1) for name in ALONE if settings[name] and not settings[name].get("pretrained")}


def ensemble_shards(settings: dict, ensemble: str) -> list[str]:
    """Return the shards of an ensemble: members in jobs of their own size, since features follow the same cut."""
    subsets, seeds = ensemble_sizes(settings)[ensemble]
    size = "members_per_job" if ensemble == "members" else "models_per_job"
    return shards(subsets * seeds, settings["execution"][size])


OUTPUT_ROLES = {"members": (), **dict.fromkeys(ALONE, ()), "estimation": ("evaluation", "tuning")}
"""The roles of the targets that the models of an ensemble are evaluated on: ``evaluation`` where nothing is said."""
