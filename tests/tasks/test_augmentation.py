import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trakway.tasks.augmentation import crop, flip

CHANGES = {"flip": flip, "crop": lambda images, rng: crop(images, rng, padding=4)}


def images_of(batch, channels=3, height=9, width=7, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((batch, channels, height, width), np.float32))


@pytest.mark.parametrize("name", CHANGES)
@given(batch=st.integers(1, 6), channels=st.integers(1, 3), height=st.integers(5, 12), width=st.integers(5, 12))
def test_shape_and_type_stay(name, batch, channels, height, width):
    images = images_of(batch, channels, height, width)
    before = images.clone()
    for kind in (torch.float32, torch.float64):
        changed = CHANGES[name](images.to(kind), np.random.default_rng(1))
        assert changed.shape == images.shape
        assert changed.dtype == kind
    assert torch.equal(images, before)


@given(batch=st.integers(1, 8), seed=st.integers(0, 99))
def test_flip_against_numpy(batch, seed):
    images = images_of(batch)
    mirrored = np.random.default_rng(seed).random(batch) < 0.5
    expected = [image[:, :, ::-1] if turn else image for image, turn in zip(images.numpy(), mirrored, strict=True)]
    np.testing.assert_array_equal(flip(images, np.random.default_rng(seed)).numpy(), expected)


@given(batch=st.integers(1, 8), seed=st.integers(0, 99))
def test_flipping_twice_changes_nothing(batch, seed):
    images = images_of(batch)
    once = flip(images, np.random.default_rng(seed))
    assert torch.equal(flip(once, np.random.default_rng(seed)), images)


def test_half_of_the_images_are_mirrored():
    images = images_of(2000, 1, 1, 2)
    turned = (flip(images, np.random.default_rng(0)) != images).any(dim=(1, 2, 3)).double().mean()
    assert abs(turned - 0.5) < 5 * 0.5 / np.sqrt(2000)


@given(batch=st.integers(1, 6), padding=st.integers(0, 4), seed=st.integers(0, 99))
def test_crop_against_a_shift_by_hand(batch, padding, seed):
    images = images_of(batch)
    tops, lefts = np.random.default_rng(seed).integers(0, 2 * padding + 1, (2, batch))
    expected = np.empty(images.shape, np.float32)
    for b in range(batch):
        for y in range(9):
            for x in range(7):
                row, column = y + tops[b] - padding, x + lefts[b] - padding
                # Mirrored at the border, the border itself once.
                row, column = (row if 0 <= row <= 8 else -row % 16), (column if 0 <= column <= 6 else -column % 12)
                expected[b, :, y, x] = images[b, :, row, column]
    changed = crop(images, np.random.default_rng(seed), padding)
    np.testing.assert_array_equal(changed.numpy(), expected)
    if padding == 0:
        assert torch.equal(changed, images)


def test_every_shift_is_drawn():
    # One bright pixel in the middle tells where the image has gone.
    images = torch.zeros(3000, 1, 19, 19)
    images[:, 0, 9, 9] = 1
    places = crop(images, np.random.default_rng(0), padding=2).nonzero()[:, 2:].numpy() - 9
    assert len(places) == 3000
    shifts, counts = np.unique(places, axis=0, return_counts=True)
    assert shifts.tolist() == [[y, x] for y in range(-2, 3) for x in range(-2, 3)]
    assert np.abs(counts - 120).max() < 5 * np.sqrt(120)


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_seeded_and_independent_of_the_layout(name):
    images = images_of(6)
    one, same, other = (CHANGES[name](images, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    last = CHANGES[name](images.to(memory_format=torch.channels_last), np.random.default_rng(3))
    assert torch.equal(last, one)
