import numpy as np
import pandas as pd
import pytest

from trakway.errors import UserError
from trakway.targets.entries import positions
from trakway.targets.table import draw_targets

COLUMNS = ["target", "kind", "timestep", "patch", "role"]
ROWS = [
    (0, "generated", pd.NA, "", "evaluation"),
    (0, "generated", 500, "", "evaluation"),
    (0, "generated", 500, "corner", "evaluation"),
    (1, "generated", pd.NA, "", "evaluation"),
    (1, "generated", 500, "", "evaluation"),
    (2, "test", pd.NA, "", "evaluation"),
    (3, "generated", pd.NA, "", "tuning"),
    (3, "generated", 500, "", "tuning"),
]
JOURNEYS = pd.DataFrame(ROWS, columns=COLUMNS).astype({"timestep": "Int64"})


def test_are_those_of_evaluated_generated_whole_images():
    np.testing.assert_array_equal(positions(JOURNEYS), [0, 3])
    np.testing.assert_array_equal(positions(JOURNEYS, 500), [1, 4])
    np.testing.assert_array_equal(positions(JOURNEYS, 500, 1), [1])


def test_of_classification_are_the_evaluated_targets():
    table = draw_targets(np.zeros(4, int), 3, 1, 0)
    np.testing.assert_array_equal(positions(table), [0, 1, 2])
    np.testing.assert_array_equal(positions(table, count=2), [0, 1])
    with pytest.raises(UserError, match=r"at timestep 500"):
        positions(table, 500)


@pytest.mark.parametrize(
    ("table", "timestep", "count", "message"),
    [
        (JOURNEYS, 300, None, r"images \[\] at timestep 300; .* at least 1\."),
        (JOURNEYS, 500, 3, r"images \[0, 1\] at timestep 500; .* at least 3\. Lower removal\.targets"),
        (JOURNEYS.iloc[3:], None, 1, r"images \[1\]; "),
        (pd.concat([JOURNEYS, JOURNEYS[:1]]), None, 1, r"images \[0, 1, 0\]; "),
    ],
)
def test_images_without_one_entry_each(table, timestep, count, message):
    with pytest.raises(UserError, match=message):
        positions(table, timestep, count)
