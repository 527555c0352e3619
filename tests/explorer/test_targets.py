import numpy as np
import pandas as pd
import pytest

from trakway.explorer.targets import lds_intervals, lds_of_entries, listed, methods_at
from trakway.metrics.lds import lds_per_target, predicted
from trakway.targets.table import groups


def test_every_evaluated_entry_stands_once_with_its_target(made):
    table = made.experiment.table
    found = listed(table, ["a", "b", "c"], None)
    positions = [entry[0] for target in found for entry in target["entries"]]
    assert sorted(positions) == np.flatnonzero(table["role"] == "evaluation").tolist()
    for target in found:
        for position, timestep, patch in target["entries"]:
            row = table.iloc[position]
            assert row["target"] == target["target"]
            assert timestep == (None if pd.isna(row["timestep"]) else row["timestep"])
            assert patch == row["patch"]
        assert target["caption"] == (row["caption"] or None)


def test_lds_belong_to_their_entries(made):
    """The numbers of the table stand where scores and outputs of the entry say."""
    experiment, found = made.experiment, made.found
    lds = lds_of_entries(experiment.table, found["lds_targets"], experiment.methods)[: experiment.evaluated]
    for place, name in enumerate(experiment.methods):
        guess = predicted(found["scores"][name], experiment.masks)
        np.testing.assert_allclose(lds[:, place], lds_per_target(guess, experiment.outputs), atol=1e-9)
    assert sum(len(group.positions) for group in groups(experiment.table)) == len(lds)


def test_intervals_of_one_target(made):
    experiment = made.experiment
    guess = [predicted(experiment.scores[name][:1], experiment.masks)[:, 0] for name in experiment.methods]
    bounds = lds_intervals(guess, experiment.outputs[:, 0], seed=0, resamples=200, level=0.9)
    lds = [lds_per_target(one[:, None], experiment.outputs[:, :1])[0] for one in guess]
    assert bounds.shape == (len(guess), 2)
    assert ((bounds[:, 0] <= lds) & (lds <= bounds[:, 1])).all()
    narrow = lds_intervals(guess, experiment.outputs[:, 0], seed=0, resamples=200, level=0.5)
    assert (np.diff(narrow) < np.diff(bounds)).all()


@pytest.mark.parametrize(("timestep", "names"), [(None, ["a"]), (300, ["a", "b"])])
def test_methods_made_for_a_step_have_nothing_to_say_of_a_whole(timestep, names):
    assert methods_at(["a", "b"], timestep, ["b"]) == names
