"""The main results of one experiment at several seeds, side by side: do they hold where nothing was chosen?

    python benchmarks/seeds.py results/demo/digits_ddpm elsewhere/results/demo/digits_ddpm --output benchmarks/seeds.csv

Each folder is a finished run of `digits_ddpm`, made in a clone with another ``seed`` in the experiment's file. A row is
a step: LDS of journey-TRAK on generated images, its difference to TRAK of the final image, and where examples were
removed, the FID of completions over that of random removals; all with their intervals, read from the run's own tables.
"""

import argparse
from pathlib import Path

import pandas as pd
from machine import made

METHOD, AGAINST = "journey_trak", "trak"


def of_run(folder: Path) -> pd.DataFrame:
    """Return the rows of one run."""
    from trakway.storage.files import read_json, read_table

    settings = read_json(folder / "provenance.json")["settings"]
    lds, pairs, shift = (read_table(folder / f"tables/{name}.csv") for name in ("lds", "lds_pairs", "shift"))
    steps = lds[(lds["kind"] == "generated") & lds["timestep"].notna()].set_index(["timestep", "method"])
    table = steps.xs(METHOD, level="method")[["lds", "lds_low", "lds_high", "ceiling"]]
    table[f"{AGAINST}_lds"] = steps.xs(AGAINST, level="method")["lds"]
    differences = ["difference", "difference_low", "difference_high"]
    pairs = pairs[(pairs["kind"] == "generated") & (pairs["method"].isin([METHOD, AGAINST]))]
    pairs = pairs[pairs["against"].isin([METHOD, AGAINST])].dropna(subset="timestep").set_index("timestep")
    turned = pairs["method"] == AGAINST  # a pair is told once, the better method first
    pairs.loc[turned, differences] = -pairs.loc[turned, ["difference", "difference_high", "difference_low"]].to_numpy()
    table = table.join(pairs[differences])
    removed = shift[(shift["method"] == METHOD) & (shift["k"] == shift["k"].max())].set_index("timestep")
    table = table.join(removed[["k", "fid", "fid_over_random", "fid_over_random_low", "fid_over_random_high"]])
    return table.reset_index().assign(seed=settings["seed"]).set_index(["seed", "timestep"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="results folders of finished runs")
    parser.add_argument("--output", type=Path, required=True, help="table (CSV)")
    arguments = parser.parse_args()
    from trakway.storage.files import write_table

    rows = pd.concat(map(of_run, arguments.folders)).round(4)
    print(rows.to_string())
    write_table(arguments.output, rows.reset_index().assign(**made("trakway", "torch", "diffusers")))
