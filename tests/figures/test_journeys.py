"""Tests of the pictures of journeys."""

import numpy as np
import pandas as pd
import pytest

from trakway.figures.extremes import extremes
from trakway.figures.journeys import journeys

STEPS = [900, 500, 100]


def material(channels=1, targets=2, steps=STEPS, count=2):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, channels, 8, 8), dtype=np.uint8)
    # entries of the file of scores that are not shown, and another order, must not matter
    entries = pd.DataFrame([(3 * t, step) for t in range(targets) for step in steps], columns=["target", "timestep"])
    entries["entry"] = np.arange(len(entries))[::-1] + 2
    entries["caption"] = np.where(entries["target"] > 0, "a coat & a “bag”", "")
    scores = np.linspace(-0.01, 0.01, 30) * np.where(np.arange(len(entries) + 4) % 2, 1, -2)[:, None]
    picks = extremes(scores, entries["entry"], count)
    return entries, images[30 : 30 + len(entries)], images[50 : 50 + targets], picks, images[:30]


def drawn(axes):
    values = np.asarray(axes.images[0].get_array())
    return np.moveaxis(values if values.ndim == 3 else values[..., None], -1, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_column_a_step_and_the_sample_at_its_end(check, channels):
    entries, estimates, samples, picks, train = material(channels)
    figure = journeys(entries, estimates, samples, picks, train, title="way")
    check(figure)
    block = len(STEPS) * 5 + 1
    assert len(figure.axes) == 2 * block
    heads = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in heads] == ["t = 900", "t = 500", "t = 100", "final sample"] * 2
    for axes, image in zip(heads, [*estimates[:3], samples[0], *estimates[3:], samples[1]], strict=True):
        np.testing.assert_array_equal(drawn(axes), image)
    left = [axes.get_position().x0 for axes in heads[:4]]
    assert left == sorted(left)
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "Sample 0" in texts
    assert "Sample 3" in texts
    assert "way" in texts
    assert "lowers the loss of the step" in texts


def test_training_images_hang_below_their_step(check):
    entries, estimates, samples, picks, train = material()
    figure = journeys(entries, estimates, samples, picks, train)
    for place, entry in enumerate(entries["entry"]):
        start = place * 5 + place // len(STEPS)
        head, *below = figure.axes[start : start + 5]
        named = picks[picks["target"] == entry]
        centre = head.get_position().x0 + head.get_position().width / 2
        tops = [head.get_position().y0]
        for axes, pick in zip(below, named.itertuples(), strict=True):
            np.testing.assert_array_equal(drawn(axes), train[pick.row])
            assert axes.get_xlabel() == f"{pick.score:+.4f}".replace("-", "−")
            assert (axes.spines["left"].get_linestyle() == "-") == (pick.side == "helpful")
            box = axes.get_position()
            assert box.x0 + box.width / 2 == pytest.approx(centre)
            assert box.y1 < tops[-1]
            tops.append(box.y0)


def test_each_step_has_numbers_of_its_own_size():
    entries, estimates, samples, picks, train = material(targets=1, steps=[900, 100], count=1)
    picks.loc[picks["target"] == entries["entry"].iloc[0], "score"] = [312.0, -4.0]
    figure = journeys(entries, estimates, samples, picks, train)
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "+312", "−4", "", "+0.0200", "−0.0200", ""]


@pytest.mark.parametrize(("targets", "steps", "count"), [(1, [500], 1), (1, [*range(1000, 0, -100)], 2)])
def test_few_and_many_steps(check, targets, steps, count):
    figure = journeys(*material(targets=targets, steps=steps, count=count))
    check(figure)
    assert len(figure.axes) == targets * (len(steps) * (1 + 2 * count) + 1)


def test_same_bytes(same_bytes):
    same_bytes(lambda: journeys(*material(targets=1, steps=[900, 100], count=1)))
