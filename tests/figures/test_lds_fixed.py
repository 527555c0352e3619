import numpy as np
import pandas as pd
import pytest

from trakway.figures.lds_fixed import draw


def rows(kind, timestep, methods):
    table = pd.DataFrame(
        [(method, share) for method in methods for share in (0.5, 0.01)], columns=["method", "dropped"]
    )
    lds = np.linspace(0.9, 0.1, len(table))
    return table.assign(kind=kind, timestep=timestep, lds=lds, lds_low=lds - 0.1, lds_high=lds + 0.1, subsets=50)


@pytest.fixture
def table():
    steps = [rows("generated", step, ["journey_trak", "trak", "random"]) for step in (300.0, 700.0)]
    return pd.concat([rows("generated", np.nan, ["trak", "random"]), *steps])


def test_a_panel_each_kind_and_step_the_noisiest_first(table):
    panels = [axes for axes in draw(table).axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["generated, t = 700", "generated, t = 300", "generated, whole"]
    assert {label.get_text() for label in panels[0].get_xticklabels()} == {"1 %", "50 %"}


def test_lines_are_the_numbers_of_the_table(table):
    panel = draw(table).axes[0]
    container = next(one for one in panel.containers if one.get_label() == "TRAK")
    part = table[(table["timestep"] == 700) & (table["method"] == "trak")].sort_values("dropped")
    np.testing.assert_allclose(container.lines[0].get_ydata(orig=False), part["lds"])
    np.testing.assert_allclose(container.lines[0].get_xdata(orig=False), part["dropped"], rtol=0.1)
