"""Tests of the heat maps of timesteps."""

import numpy as np
import pandas as pd
import pytest

from trakway.figures.timestep_correlation import draw

STEPS = [100, 500, 900]


def table(methods=("datamodel", "journey_d_trak", "journey_trak"), steps=STEPS):
    rows = [
        (method, one, other, 1.0 if one == other else (100 * place + one - other) / 1000, 24)
        for place, method in enumerate(methods)
        for one in steps
        for other in steps
    ]
    frame = pd.DataFrame(rows, columns=["method", "timestep", "other", "correlation", "targets"])
    low, high = frame["correlation"] - 0.02, frame["correlation"] + 0.06
    return frame.assign(correlation_low=low, correlation_high=high)


def test_values_stand_in_the_cells_from_noise_to_image(check):
    figure = draw(table())
    check(figure)
    *panels, bar = figure.axes
    assert [axes.get_title() for axes in panels] == ["journey-TRAK", "journey-D-TRAK"]  # in this order, no others
    axes = panels[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["900", "500", "100"]
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert len(cells) == 9
    assert cells[0, 0] == cells[2, 2] == "1.00"
    assert cells[1, 0] == "−0.20"  # column t = 500, row 900: 0.2 + (500 - 900) / 1000
    assert cells[0, 1] == "0.60"
    np.testing.assert_allclose(axes.images[0].get_array()[0], [1, -0.2, -0.6])
    assert axes.images[0].get_clim() == (-1, 1)
    assert bar.get_ylabel() == "Spearman correlation"
    assert "24 samples" in figure.get_supxlabel()
    assert "±0.04" in figure.get_supxlabel()


def test_numbers_can_be_read_on_their_colour():
    axes = draw(table()).axes[0]
    assert {text.get_text(): text.get_color() for text in axes.texts}["1.00"] == "white"
    assert {text.get_text(): text.get_color() for text in axes.texts}["−0.20"] == "black"


@pytest.mark.parametrize(
    ("methods", "steps", "panels"),
    [(["journey_trak"], STEPS, 1), (["a", "b", "c", "d"], [100, 200], 3), (["journey_trak"], [500], 1)],
)
def test_other_numbers_of_methods_and_steps(check, methods, steps, panels):
    figure = draw(table(methods, steps))
    check(figure)
    assert len(figure.axes) == panels + 1
    assert ("±" in figure.get_supxlabel()) == (len(steps) > 1)


def test_ten_steps_of_three_methods_fit(check):
    check(draw(table(["journey_trak", "journey_window", "journey_d_trak"], range(50, 1050, 100))))


def test_same_bytes(same_bytes):
    same_bytes(lambda: draw(table(["journey_trak"])))
