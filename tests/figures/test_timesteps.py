"""Tests of the axis along the trajectory."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from trakway.figures.timesteps import along_timesteps, dodge, spacing


def ticks(timesteps, **kwargs):
    axes = Figure().subplots()
    along_timesteps(axes, timesteps, **kwargs)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    return axes, labels


def test_t_falls_from_left_to_right():
    axes, labels = ticks([100, 900, 500, 100])
    assert labels == ["900", "500", "100"]
    left, right = axes.get_xlim()
    assert left > 900
    assert right < 100
    assert "from noise to image" in axes.get_xlabel()


def test_ticks_do_not_crowd():
    assert ticks([*range(50, 1000, 50)], most=4)[1] == ["950", "650", "350", "50"]
    assert ticks([10, 20, 1000])[1] == ["1000", "20"]


def test_one_timestep():
    axes, labels = ticks([500])
    assert labels == ["500"]
    assert axes.get_xlim()[0] > 500 > axes.get_xlim()[1]


def test_spacing_is_the_smallest_distance():
    assert spacing([900, 100, 150, 900]) == 50
    assert spacing([300]) == 300


@pytest.mark.parametrize("count", [1, 2, 13, 40])
def test_dodged_lines_stay_near_their_timestep_and_keep_their_order(count):
    shifts = dodge([100, 200, 400], count)
    assert len(shifts) == count
    assert abs(shifts.sum()) < 1e-9
    assert np.ptp(shifts) < 60  # less than the way to a neighbour
    assert (np.diff(shifts) < 0).all()  # the first leftmost, where t is larger
