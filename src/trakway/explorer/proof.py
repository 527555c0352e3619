"""The proof: what retraining without the examples that a method names did to a target."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.explorer.pictures import write_sheet
from trakway.plan.methods import CONTROL
from trakway.targets.entries import positions
from trakway.validation.completions import KEY, RETRAINED
from trakway.validation.removal import read_at, seeds_of


def removals(
    table: pd.DataFrame,
    reference: np.ndarray,
    outputs: np.ndarray,
    rows: pd.DataFrame,
    timesteps: Sequence[int] | None,
    paired: bool = False,
) -> dict[int, list[dict]]:
    """Return what became of each target of the removal experiment.

    Args:
        table: of targets.
        reference: (models × entries) of models trained on everything.
        outputs: (rows · seeds × entries) of models trained without, model = row · seeds + seed.
        rows: columns method, side, k, fraction, target (-1: removed at random), timestep.
        timesteps: at which outputs are looked at; None: those of the whole.
        paired: whether models share their seeds over subsets: before are then the models of the same seeds.

    Returns:
        Number of the target → a list of ``method``, ``side``, ``k``, ``fraction``, ``timestep`` (where the output is
        looked at; null: the whole), ``ranked`` (the timestep of the scores; null: of the whole), ``entry``, ``before``
        and ``after`` (one output a seed), and ``control``, the outputs after removing as many at random (means over
        seeds, one a repeat).
    """
    seeds = seeds_of(len(outputs), len(rows))
    rows = rows.reset_index(drop=True)
    after = outputs.reshape(len(rows), seeds, -1)
    before = reference[:seeds] if paired else reference
    found: dict[int, list[dict]] = {}
    for timestep in timesteps or [None]:
        entries = positions(table, timestep)
        here = rows[read_at(rows, timestep)]
        control = here[here["method"] == CONTROL]
        for row in here[here["target"] >= 0].itertuples():
            entry, same = entries[row.target], control.index[control["k"] == row.k]
            found.setdefault(int(row.target), []).append({
                "method": row.method, "side": row.side, "k": row.k, "fraction": row.fraction, "timestep": timestep,
                "ranked": None if pd.isna(row.timestep) else row.timestep, "entry": entry,
                "before": before[:, entry], "after": after[row.Index, :, entry],
                "control": after[same][:, :, entry].mean(axis=1),
            })  # fmt: skip
    return found


class Drawn:
    """Pictures of completions, by ensemble, model, target and timestep, those that share their noise."""

    def __init__(self, index: Mapping[str, pd.DataFrame], pictures: Mapping[str, np.ndarray]):
        """Gather shards: tables with the columns `KEY`, and arrays (rows, pictures, C, H, W) with a row for each."""
        self._found = {}
        for name, table in index.items():
            shared = table.reset_index(drop=True)
            shared = shared[shared["stream"] == RETRAINED]
            for row, key in zip(shared.index, shared[KEY[:-1]].itertuples(index=False, name=None), strict=True):
                self._found[key] = (pictures[name], row)

    def of(self, ensemble: str, model: int, target: int, timestep: int) -> np.ndarray:
        """Return pictures (pictures, C, H, W)."""
        array, row = self._found[ensemble, model, target, timestep]
        return array[row]


def completions(
    folder: Path, drawn: Drawn, rows: pd.DataFrame, target: int, timesteps: Sequence[int], seeds: int
) -> dict:
    """Write what models with and without examples draw from a target's x_t, with the same noise, into one file.

    Args:
        folder: of the explorer.
        drawn: all completions.
        rows: of the removal experiment.
        target: which.
        timesteps: of x_t.
        seeds: models a row; the first is shown.

    Returns:
        ``sheet`` (`write_sheet`, a row a group and timestep), ``each`` (pictures a row), ``timesteps`` and ``groups``:
        ``method`` (null: the original model), ``timestep`` (of the scores that name what was removed), ``k``.
    """
    rows = rows.reset_index(drop=True)
    own = rows[(rows["target"] == target) & (rows["side"] == "top")]
    control = rows[rows["method"] == CONTROL]
    control = control[control["k"].isin(own["k"])].drop_duplicates("k")
    groups = [{"method": None, "timestep": None, "k": 0}]
    models = [("reference", 0)]
    for row in [*own.itertuples(), *control.itertuples()]:
        groups.append({"method": row.method, "timestep": None if pd.isna(row.timestep) else row.timestep, "k": row.k})
        models.append(("removal", row.Index * seeds))
    tiles = [picture for model in models for step in timesteps for picture in drawn.of(*model, target, step)]
    each = len(tiles) // (len(models) * len(timesteps))
    sheet = write_sheet(folder, f"pictures/completions-{target}", np.stack(tiles), each)
    return {"sheet": sheet, "each": each, "timesteps": list(timesteps), "groups": groups}
