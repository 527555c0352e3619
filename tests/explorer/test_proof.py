import numpy as np
import pytest
from PIL import Image

from trakway.explorer.proof import Drawn, completions, removals
from trakway.validation import removal as removal_table


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("kind", ["pictures", "steps"])
def test_changes_are_those_of_the_table(explorer_of, kind, paired):
    """The mean over targets of after less before is the change that the table reports, of the control too."""
    found = explorer_of(kind).found
    table, rows = explorer_of(kind).experiment.table, found["rows"]
    reference, outputs = found["reference"]["a"], found["retrained"]["a"]
    timestep = 300 if kind == "steps" else None
    by_target = removals(table, reference, outputs, rows, [timestep] if timestep else None, paired)
    assert sorted(by_target) == [0, 1]
    entries = [next(iter(by_target[target]))["entry"] for target in (0, 1)]
    own = rows.assign(timestep=None)
    expected = removal_table.evaluate(
        reference[:, entries], outputs[:, entries], own, seed=0, resamples=10, border=False, paired=paired
    ).removal.set_index("method")
    for method in ("journey_trak", "pixel"):
        (mine,) = zip(
            *([one for one in by_target[target] if one["method"] == method] for target in (0, 1)), strict=True
        )
        assert {one["timestep"] for one in mine} == {timestep}
        assert {one["ranked"] for one in mine} == {timestep if method == "journey_trak" else None}
        change = np.mean([np.mean(one["after"]) - np.mean(one["before"]) for one in mine])
        assert change == pytest.approx(expected.loc[method, "change"])
        control = np.mean([np.mean(one["control"]) - np.mean(one["before"]) for one in mine])
        assert control == pytest.approx(expected.loc["random", "change"])
        assert len(mine[0]["control"]) == 2
        assert len(mine[0]["before"]) == (2 if paired else 3)


def test_completions_are_found_by_model_target_and_step(explorer_of, tmp_path):
    found = explorer_of("steps").found
    index, pictures = found["completions_index"], found["completions"]
    drawn = Drawn(index, pictures)
    shown = completions(tmp_path, drawn, found["rows"], 1, [50, 300, 700], 2)
    assert [(one["method"], one["timestep"], one["k"]) for one in shown["groups"]] == [
        (None, None, 0), ("journey_trak", 300, 6), ("pixel", None, 6), ("random", None, 6)
    ]  # fmt: skip
    assert (shown["each"], shown["sheet"]["columns"], shown["sheet"]["rows"]) == (3, 3, 12)
    sheet = np.asarray(Image.open(tmp_path / shown["sheet"]["file"]))
    for group, (ensemble, model) in enumerate([("reference", 0), ("removal", 2), ("removal", 6), ("removal", 8)]):
        for place, step in enumerate([50, 300, 700]):
            table = index["all"]
            same = (table["ensemble"] == ensemble) & (table["model"] == model) & (table["stream"] == "retrained")
            (row,) = np.flatnonzero(same & (table["target"] == 1) & (table["timestep"] == step))
            top = 8 * (group * 3 + place)
            for i in range(3):
                np.testing.assert_array_equal(sheet[top : top + 8, 8 * i : 8 * i + 8], pictures["all"][row, i, 0])
