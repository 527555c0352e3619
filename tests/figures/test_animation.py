"""Tests of the animation."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trakway.figures.animation import moments
from trakway.figures.extremes import extremes
from trakway.figures.saving import render, write_gif

STEPS = [900, 500, 100]


def material(channels=1, count=6, side=8):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, channels, side, side), dtype=np.uint8)
    entries = pd.DataFrame({"timestep": STEPS, "entry": [4, 2, 0]})
    scores = rng.normal(size=(6, 20)) / 100
    picks = extremes(scores, entries["entry"], count)
    return entries, images[20:23], images[23:26], images[26], picks, images[:20]


def drawn(axes):
    values = np.asarray(axes.images[0].get_array())
    return np.moveaxis(values if values.ndim == 3 else values[..., None], -1, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_moment_a_step_and_the_final_sample(check, channels):
    entries, states, estimates, sample, picks, train = material(channels)
    figures = moments(entries, states, estimates, sample, picks, train, title="way")
    assert len(figures) == 4
    for place, figure in enumerate(figures):
        check(figure)
        step = min(place, 2)
        named = picks[(picks["target"] == entries["entry"].iloc[step]) & (picks["side"] == "helpful")]
        expected = [[*states, sample][place], estimates[step], *train[named["row"]]]
        pictures = [axes for axes in figure.axes if axes.images]
        for axes, image in zip(pictures, expected, strict=True):
            np.testing.assert_array_equal(drawn(axes), image)
        numbers = [float(axes.get_xlabel().replace("−", "-")) for axes in pictures[2:]]
        np.testing.assert_allclose(numbers, named["score"], atol=1e-4)
        texts = {text.get_text() for text in figure.texts}
        heads = {f"xₜ, t = {STEPS[step]}", "x̂₀(xₜ)"} if place < 3 else {"final sample", "x̂₀(xₜ), t = 100"}
        assert texts == heads | {"way", f"training images that help most at t = {STEPS[step]}", "noise", "sample"}


def test_the_dot_wanders_from_noise_to_sample():
    places = []
    for figure in moments(*material()):
        (line,) = (axes for axes in figure.axes if not axes.images)
        (dot,) = (one for one in line.lines if one.get_marker() == "o")
        places.append(dot.get_xdata()[0])
    assert places == [0, 1, 2, 3]


def test_fewer_training_images(check):
    figure = moments(*material(count=2))[0]
    check(figure)
    assert len([axes for axes in figure.axes if axes.images]) == 4


def test_gif_plays_all_moments_and_lingers_on_the_last(tmp_path):
    figures = moments(*material())
    write_gif(figures, tmp_path / "new" / "way.gif", milliseconds=700, last=2500)
    write_gif(moments(*material()), tmp_path / "again.gif", milliseconds=700, last=2500)
    written = (tmp_path / "new" / "way.gif").read_bytes()
    assert written == (tmp_path / "again.gif").read_bytes()
    with Image.open(tmp_path / "new" / "way.gif") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (4, (800, 380), 0)
        for place, figure in enumerate(figures):
            image.seek(place)
            assert image.info["duration"] == (2500 if place == 3 else 700)
            error = np.abs(np.asarray(image.convert("RGB"), float) - render(figure))
            assert error.mean() < 1  # of 255: colours are few, pictures the same
