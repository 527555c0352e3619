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
NEEDED = ("lds", "cost", "timing")
ALL_STEPS = "all steps"


def leaderboard(folders: Sequence[Path]) -> pd.DataFrame:
    """Return a row for each experiment, kind of target, timestep and method.

    Args:
        folders: one an experiment, each with its published ``lds.csv``, ``cost.csv``, ``timing.csv`` and
            ``provenance.json``; ``lds_fixed.csv``, ``removal.csv`` and ``shift.csv`` where it has them.

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
    found = lds.join(price, on="method").merge(_removed(tables), how="left", on=["method", "timestep"])
    steps = found["timestep"].notna().any()
    others = (found["targets"] != ("generated" if steps else "test")) | found["dropped"].notna()
    found.loc[others, ["removal", "removal_random", "shift_over_random"]] = (
        np.nan
    )  # removals are of these targets alone
    return found.assign(experiment=folder.name, tier=read_json(folder / "provenance.json")["tier"])


def _over_steps(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the LDS over all steps of trajectories at once, of the most models; nothing where there are no steps."""
    if tables["lds"]["timestep"].isna().all():
        return pd.DataFrame()
    table = tables["cost"].sort_values("cpu_seconds").groupby("method", as_index=False).last()
    kept = table[["method", "lds", "lds_low", "lds_high", "ceiling"]]
    return kept.assign(targets=ALL_STEPS, timestep=np.nan, over_ceiling=kept["lds"] / kept["ceiling"])


def _removed(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return by method and timestep what removing its top examples does, at the share that all methods have."""
    keys = ["method", "timestep"]
    if "removal" not in tables:
        return pd.DataFrame(columns=[*keys, "removal", "removal_random", "shift_over_random"])
    table = tables["removal"]
    top = table[table["side"] == "top"]
    share = top.groupby("fraction")["method"].nunique().pipe(lambda counts: counts[counts == counts.max()].index.max())
    found = top[top["fraction"] == share][[*keys, "change"]].rename(columns={"change": "removal"})
    random = table[(table["side"] == "random") & (table["fraction"] == share)].set_index("timestep")["change"]
    found["removal_random"] = (
        found["timestep"].map(random) if found["timestep"].notna().any() else float(random.iloc[0])
    )
    if "shift" in tables:
        shift = tables["shift"].dropna(subset=["fid_over_random"])
        shift = shift.sort_values("k").groupby(keys, as_index=False).last()[[*keys, "fid_over_random"]]
        found = found.merge(shift.rename(columns={"fid_over_random": "shift_over_random"}), how="left", on=keys)
    return found
