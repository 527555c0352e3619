"""Everything of an experiment that has a cost, but the ablation, which a run need not have."""

from trakway.plan.ensembles import ensemble_shards, ensemble_sizes
from trakway.plan.features import feature_shards
from trakway.plan.methods import NEEDS
from trakway.plan.modalities import modality_of
from trakway.plan.tables import declared_tables


def cost_names(settings: dict) -> list[str]:
    """Return the names of the costs, below their folder: ``STAGE``, ``STAGE/NAME`` or ``STAGE/NAME/.../SHARD``."""
    modality = modality_of(settings)
    needs = sorted({need for method in settings["methods"] for need in NEEDS[method]})
    names = ["data"]
    # A table of costs cannot hold its own.
    names += [
        file.stem
        for file, table in declared_tables().items()
        if table.belongs(settings) and not table.optional and not any("{cost}" in path for path in table.reads.values())
    ]
    names += ["representations"] if "representations" in needs else []
    names += ["targets"] if modality.targets == "sampled" else []
    for stage in ("train", "outputs"):
        names += [f"{stage}/{e}/{shard}" for e in ensemble_sizes(settings) for shard in ensemble_shards(settings, e)]
    names += [f"features/{shard}" for need in needs for shard in feature_shards(need, settings)]
    names += [f"scores/{method}" for method in settings["methods"]]
    if modality.has(("steps",)):
        drawn = ("reference", "removal")
        names += [f"completions/{e}/{shard}" for e in drawn for shard in ensemble_shards(settings, e)]
    return list(dict.fromkeys(names))
