"""Gather the material of an experiment from its files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.attribution.inputs import INPUTS
from trakway.attribution.material import Material
from trakway.attribution.values import Source
from trakway.plan.modalities import Modality
from trakway.storage.files import read_json, read_table


def load_material(
    inputs: Mapping[str, Sequence[Path]],
    *,
    seed: int,
    modality: Modality,
    data: Path,
    targets: Path,
    block: int = 4096,
    device: str = "cpu",
) -> tuple[Material, int]:
    """Gather what was computed; what is not given is not in the material.

    Args:
        inputs: name of an input → the files it is loaded from, see `trakway.attribution.inputs`.
        seed: the experiment's seed.
        modality: of the experiment.
        data: folder of the prepared data.
        targets: the table of targets, evaluated ones first; what was sampled lies beside it.
        block: training examples at a time.
        device: where to compute.

    Returns:
        (material of all targets, number of evaluated targets: the rest are for tuning).
    """
    source = Source(read_table(targets), Path(targets).parent, Path(data), modality)
    found = {name: INPUTS[name].load([Path(file) for file in files], source) for name, files in inputs.items()}
    material = Material(
        seed=seed,
        size=read_json(source.data / "meta.json")["counts"]["train"],
        targets=len(source.table),
        **_steps(source.table),
        block=block,
        device=device,
        **found,
    )
    return material, int((source.table["role"] == "evaluation").sum())


def _steps(table: pd.DataFrame) -> dict[str, np.ndarray | None]:
    """Return the timesteps of the entries, and where the one of the same image without a timestep is."""
    if table["timestep"].isna().all():
        return {"timesteps": None, "final": None}
    whole = table["timestep"].isna().to_numpy() & (table["patch"] == "").to_numpy()
    places = dict(zip(table["target"][whole], np.flatnonzero(whole), strict=True))
    return {
        "timesteps": table["timestep"].fillna(-1).to_numpy(np.int64),
        "final": table["target"].map(places).to_numpy(),
    }
