"""Everything of an experiment that has a cost, but the ablation, which a run need not have."""

from trakway.attribution.inputs import INPUTS, inputs_of
from trakway.plan import COMPLETING, ensemble_shards, ensemble_sizes, methods_of, modality_of
from trakway.report.tables import declared_tables

FOLDER = "costs/"


def cost_names(settings: dict) -> list[str]:
    """Return the names of the costs, below their folder: ``STAGE``, ``STAGE/NAME`` or ``STAGE/NAME/.../SHARD``."""
    modality, chosen = modality_of(settings), methods_of(settings)
    names = ["data"]
    # A table of costs cannot hold its own.
    names += [
        file.stem
        for file, table in declared_tables().items()
        if table.belongs(settings) and not table.optional and not any("{cost}" in path for path in table.reads.values())
    ]
    names += ["targets"] if modality.targets == "sampled" else []
    for stage in ("train", "outputs"):
        names += [f"{stage}/{e}/{shard}" for e in ensemble_sizes(settings) for shard in ensemble_shards(settings, e)]
    read = [file for name in inputs_of(list(chosen.values())) for file in INPUTS[name].costs(settings)]
    names += [file.removeprefix(FOLDER).removesuffix(".json") for file in read]
    names += ["preflight"] if "metagradients" in inputs_of(list(chosen.values())) else []
    names += [f"scores/{method}" for method in chosen]
    if modality.has(("steps",)):
        drawn = [ensemble for ensemble in COMPLETING if ensemble in ensemble_sizes(settings)]
        names += [f"completions/{e}/{shard}" for e in drawn for shard in ensemble_shards(settings, e)]
    if modality.has(("caption",)):
        asked = ("reference", "evaluation")
        names += [f"captions/{e}/{shard}" for e in asked for shard in ensemble_shards(settings, e)]
    return list(dict.fromkeys(names))
