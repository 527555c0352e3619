"""All methods on all experiments, from the published tables: how well scores predict retraining, and at what price."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.storage.files import read_json, read_table

COLUMNS = [
    "experiment", "tier", "targets", "timestep", "dropped", "method", "lds", "lds_low", "lds_high", "ceiling",
    "over_ceiling", "removal", "removal_random", "shift_over_random", "models", "cpu_seconds", "peak_mb",
]  # fmt: skip
MEASURED = ["removal", "removal_random", "shift_over_random"]
NEEDED = ("lds", "cost", "timing")
ALL_STEPS = "all steps"


def leaderboard(folders: Sequence[Path]) -> pd.DataFrame:
    """Return a row for each experiment, kind of target, timestep and method.

    Args:
        folders: one an experiment, each with its published ``lds.csv``, ``cost.csv``, ``timing.csv`` and
            ``provenance.json``; where it has them also ``removal.csv``, ``shift.csv``, and ``lds_fixed.csv``,
            ``removal_fixed.csv``, ``shift_fixed.csv`` for the rows at a fixed seed.

    Returns:
        ``COLUMNS``. ``targets`` is the kind of target, ``all steps`` for the mean over the steps of trajectories;
        ``dropped`` is empty on the ordinary bank of half subsets and the dropped share at a fixed seed; ``removal`` and
        ``removal_random`` are the change of the output after dropping a method's top examples and as many at random,
        ``shift_over_random`` the FID of completions beyond that of random removal, at the same share; ``models``,
        ``cpu_seconds`` and ``peak_mb`` are what all scores of the method took, the most that was measured.

    Raises:
        UserError: a table is missing.
    """
    return pd.concat([_of_one(Path(folder)) for folder in folders], ignore_index=True)[COLUMNS]


def _of_one(folder: Path) -> pd.DataFrame:
    missing = [name for name in NEEDED if not (folder / f"{name}.csv").exists()]
    if missing:
        raise UserError(
            f"{folder}: found no {', '.join(f'{name}.csv' for name in missing)}; allowed: what snakemake NAME_publish"
            " writes; publish the experiment"
        )
    tables = {file.stem: read_table(file) for file in folder.glob("*.csv")}
    lds = tables["lds"].assign(dropped=np.nan)
    if "lds_fixed" in tables:
        lds = pd.concat([lds, tables["lds_fixed"]])
    named = lds.drop(columns=["targets", "members", "dim"]).rename(columns={"kind": "targets"})  # a kind, not a count
    lds = pd.concat([named, _over_steps(tables)], ignore_index=True)
    price = tables["cost"].sort_values("cpu_seconds").groupby("method").last()[["models", "cpu_seconds"]]
    timing = tables["timing"]
    price["peak_mb"] = timing[timing["stage"] == "scores"].set_index("method")["peak_mb"]
    lds = lds.join(price, on="method")
    ordinary, fixed = lds[lds["dropped"].isna()], lds[lds["dropped"].notna()]
    found = pd.concat(
        [
            ordinary.merge(_at_one_share(_removed(tables)), how="left", on=["method", "timestep"]),
            fixed.merge(_removed(tables, "_fixed"), how="left", on=["method", "timestep", "dropped"]),
        ],
        ignore_index=True,
    )
    steps = found["timestep"].notna().any()
    # Removals are of these targets alone.
    found.loc[found["targets"] != ("generated" if steps else "test"), MEASURED] = np.nan
    return found.assign(experiment=folder.name, tier=read_json(folder / "provenance.json")["tier"])


def _over_steps(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the LDS over all steps of trajectories at once, of the most models; nothing where there are no steps."""
    if tables["lds"]["timestep"].isna().all():
        return pd.DataFrame()
    table = tables["cost"].sort_values("cpu_seconds").groupby("method", as_index=False).last()
    kept = table[["method", "lds", "lds_low", "lds_high", "ceiling"]]
    return kept.assign(targets=ALL_STEPS, timestep=np.nan, over_ceiling=kept["lds"] / kept["ceiling"])


def _removed(tables: dict[str, pd.DataFrame], bank: str = "") -> pd.DataFrame:
    """Return by method, timestep and share ``dropped`` what removing a method's top examples does.

    Args:
        tables: of the experiment.
        bank: ``_fixed`` for the removals at a fixed seed.
    """
    keys = ["method", "timestep", "dropped"]
    if f"removal{bank}" not in tables:
        return pd.DataFrame(columns=[*keys, *MEASURED]).astype(float).astype({"method": str})
    table = tables[f"removal{bank}"].rename(columns={"fraction": "dropped", "change": "removal"})
    found = table.loc[table["side"] == "top", [*keys, "k", "removal"]]
    random = table[table["side"] == "random"].rename(columns={"removal": "removal_random"})
    found = found.merge(random[[*keys[1:], "removal_random"]], how="left", on=keys[1:])
    if f"shift{bank}" in tables:
        shift = tables[f"shift{bank}"].rename(columns={"fid_over_random": "shift_over_random"})
        found = found.merge(shift[["method", "timestep", "k", "shift_over_random"]], how="left")
    return found.drop(columns="k")


def _at_one_share(removed: pd.DataFrame) -> pd.DataFrame:
    """Keep the largest share that the most methods removed."""
    counts = removed.groupby("dropped")["method"].nunique()
    return removed[removed["dropped"] == counts[counts == counts.max()].index.max()].drop(columns="dropped")
