import numpy as np
import pandas as pd

from trakway.validation import removal, removal_fixed


def test_seed_is_held_against_seed():
    """Whatever one seed has that another has not, it is in no change."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        [("one", "top", 5, 0.05, target, pd.NA) for target in range(4)],
        columns=["method", "side", "k", "fraction", "target", "timestep"],
    ).astype({"timestep": "Int64"})
    targets = pd.DataFrame({"target": range(4), "role": "evaluation", "kind": "test", "patch": "", "timestep": pd.NA})
    seeds = 100 * rng.standard_normal((2, 1)) + rng.standard_normal((2, 4))
    outputs = np.tile(seeds, (4, 1)) - 1.5
    given = {"rows": rows, "targets": targets.astype({"timestep": "Int64"}), "timesteps": None}
    given |= {"seed": 0, "resamples": 50, "level": 0.9, "border": True}
    found = removal_fixed.make({"a": seeds[:1], "b": seeds[1:]}, {"all": outputs}, **given)
    assert list(found) == ["removal_fixed", "removal_fixed_pairs"]
    row = found["removal_fixed"].iloc[0]
    assert row[["change", "change_low", "change_high"]].tolist() == [-1.5] * 3
    assert list(found["removal_fixed_pairs"]) == removal.PAIRS
