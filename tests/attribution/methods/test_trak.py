"""TRAK against a brute force written from the formula: explicit inverses, float64, everything in memory."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from trakway.attribution.material import Material
from trakway.attribution.methods import trak
from trakway.attribution.values import Features
from trakway.errors import UserError

UNCUT = {"soft_threshold": 0.0}


@pytest.fixture(scope="session")
def check(estimator):
    """Compare scores with brute force: the largest error, relative to the largest score before the threshold."""

    def call(material, found, tolerance=1e-4, **options):
        targets = [entry.targets for entry in material.features]
        expected, plain = (estimator(material.features, targets, **chosen) for chosen in (options, options | UNCUT))
        assert np.abs(found - expected).max() <= tolerance * np.abs(plain).max()

    return call


OPTIONS = st.fixed_dictionaries(
    {
        "ridge": st.sampled_from([0.0, 1e-6, 1e-3, 0.1, 1.0, 100.0]),
        "soft_threshold": st.sampled_from([0.0, 0.0, 0.5, 2.0]),
        "weights": st.booleans(),
        "average": st.sampled_from(["paper", "joint"]),
    }
)


@settings(max_examples=300)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 14),
    dim=st.integers(1, 14),
    members=st.integers(1, 4),
    targets=st.integers(1, 5),
    block=st.integers(1, 20),
    block_numbers=st.integers(1, 100),
    target_numbers=st.integers(1, 100),
    options=OPTIONS,
)
@example(0, 9, 9, 2, 3, 4, 20, 30, {"ridge": 0.0, "soft_threshold": 0.0, "weights": True, "average": "paper"})
@example(0, 6, 14, 2, 3, 4, 20, 30, {"ridge": 0.1, "soft_threshold": 0.5, "weights": True, "average": "joint"})
def test_agrees_with_brute_force_however_it_is_cut(
    random_material, scores_of, check, seed, n, dim, members, targets, block, block_numbers, target_numbers, options
):
    material = random_material(seed, n, dim, members, targets, block=block)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trak, "BLOCK_NUMBERS", block_numbers)
        patch.setattr(trak, "TARGET_NUMBERS", target_numbers)
        if options["ridge"] == 0 and dim > n:
            with pytest.raises(UserError, match="singular"):
                scores_of(trak.score, material, **options)
            return
        if options["ridge"] == 0:
            assume(all(np.linalg.cond(np.float64(entry.train)) < 1e4 for entry in material.features))
        check(material, scores_of(trak.score, material, **options), tolerance=1e-5, **options)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_more_examples_than_a_block_holds_by_default(random_material, scores_of, check, ridge):
    material = random_material(n=Material(0, 0, 0).block + 500, dim=6)
    check(material, scores_of(trak.score, material, ridge=ridge), tolerance=1e-6, ridge=ridge)


def test_more_features_than_examples_and_than_a_block(random_material, scores_of, check, monkeypatch):
    monkeypatch.setattr(trak, "BLOCK_NUMBERS", 50)
    material = random_material(n=30, dim=120)  # a block cannot hold a single row: it holds one all the same
    check(material, scores_of(trak.score, material, ridge=0.1), tolerance=1e-6, ridge=0.1)


def test_order_of_members_does_not_matter(random_material, scores_of):
    material = random_material(members=4)
    backwards = material.replace(features=material.features[::-1], cache={})
    for average in ("paper", "joint"):
        one, other = (scores_of(trak.score, m, ridge=0.1, average=average) for m in (material, backwards))
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6 * np.abs(one).max())


def test_the_two_averages_and_the_weights_differ(random_material, scores_of):
    """Else agreement with brute force would say nothing of these options."""
    material = random_material()
    runs = [
        scores_of(trak.score, material, ridge=0.1, average=average, weights=weights)
        for average, weights in (("paper", True), ("joint", True), ("paper", False), ("joint", False))
    ]
    assert not np.allclose(runs[0], runs[1], rtol=1e-2)
    assert not np.allclose(runs[0], runs[2], rtol=1e-2)
    np.testing.assert_allclose(runs[2], runs[3], rtol=1e-5)
    one = random_material(members=1)
    paper, joint = (scores_of(trak.score, one, ridge=0.1, average=average) for average in ("paper", "joint"))
    np.testing.assert_allclose(paper, joint, rtol=1e-5)


def test_soft_threshold_shrinks_and_empties(random_material, scores_of):
    material = random_material(n=50)
    plain, some, most = (scores_of(trak.score, material, ridge=0.1, soft_threshold=s) for s in (0.0, 1.0, 10.0))
    kept = some != 0
    assert 0 < kept.sum() < some.size
    assert (np.sign(some[kept]) == np.sign(plain[kept])).all()
    width = np.float64(plain).std(axis=1, keepdims=True)
    np.testing.assert_allclose(
        (np.abs(plain) - np.abs(some))[kept], np.broadcast_to(width, some.shape)[kept], rtol=1e-4
    )
    assert (np.abs(plain) <= width * (1 + 1e-6))[~kept].all()
    assert (most == 0).all()


def test_kernels_kept_for_the_next_ridge_change_nothing(random_material, scores_of, monkeypatch):
    for dim in (5, 20):
        material = random_material(dim=dim)
        found = {ridge: scores_of(trak.score, material, ridge=ridge) for ridge in (0.1, 1.0)}
        assert len(material.cache) == len(material.features)
        monkeypatch.setattr(trak, "CACHE_NUMBERS", 0)
        for ridge, kept in found.items():
            fresh = material.replace(cache={})
            np.testing.assert_array_equal(scores_of(trak.score, fresh, ridge=ridge), kept)
            assert not fresh.cache
        monkeypatch.undo()


def test_a_training_example_that_is_the_target_scores_highest(random_material, scores_of):
    material = random_material(n=30, dim=200, members=3)
    weights = np.full(30, 0.4, np.float32)
    features = [Features(entry.train, entry.train[[7, 21]], weights) for entry in material.features]
    material = material.replace(features=features, targets=2)
    for average in ("paper", "joint"):
        found = scores_of(trak.score, material, ridge=0.1, average=average)
        np.testing.assert_array_equal(found.argmax(axis=1), [7, 21])
        assert (found[[0, 1], [7, 21]] > 0).all()
        opposite = [dataclasses.replace(entry, targets=-entry.targets) for entry in features]
        found = scores_of(trak.score, material.replace(features=opposite), ridge=0.1, average=average)
        np.testing.assert_array_equal(found.argmin(axis=1), [7, 21])


class TestMistakes:
    def test_no_members(self, random_material, scores_of):
        with pytest.raises(UserError, match=r"members\.count: found 0 members"):
            scores_of(trak.score, random_material(features=[]))

    @pytest.mark.parametrize("n", [40, 300])
    @pytest.mark.parametrize("spoil", ["twice", "scaled", "sum", "zero", "low rank", "few examples", "copies"])
    def test_singular_kernel_names_member_and_way_out(self, random_material, scores_of, check, n, spoil):
        material = random_material(n=n, dim=20, members=3)
        train = material.features[1].train
        rng = np.random.default_rng(0)
        if spoil == "twice":
            train[:, 19] = train[:, 0]
        elif spoil == "scaled":
            train[:, 3] = 3 * train[:, 2]
        elif spoil == "sum":
            train[:] = np.round(train * 64) / 64  # so that the sum is exact
            train[:, 10] = train[:, :10].sum(axis=1)
        elif spoil == "zero":
            train[:, 5] = 0
        elif spoil == "low rank":
            train[:] = rng.integers(-9, 9, (n, 10)) @ rng.integers(-9, 9, (10, 20))
        elif spoil == "few examples":
            train[19:] = 0
        else:
            train[:] = train[np.arange(n) % 19]
        message = rf"scores\.ridge: found 0, but the 20×20 kernel of member 1 from {n} .*singular.*a ridge above 0"
        with pytest.raises(UserError, match=message):
            scores_of(trak.score, material)
        check(material, scores_of(trak.score, material, ridge=0.01), ridge=0.01)

    def test_features_of_zeros(self, random_material, scores_of):
        for dim in (5, 20):
            material = random_material(dim=dim)
            material.features[0].train[:] = 0
            with pytest.raises(UserError, match="kernel of member 0"):
                scores_of(trak.score, material, ridge=0.0)


@pytest.mark.parametrize("options", [{"ridge": 0.1}, {"ridge": 1.0, "weights": False, "soft_threshold": 0.5}], ids=str)
def test_of_a_diffusion_target_the_whole_image_counts_at_every_step(journey_material, scores_of, estimator, options):
    material = journey_material()
    expected = estimator(material.features, [entry.targets[material.final] for entry in material.features], **options)
    found = scores_of(trak.score, material, **options)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    np.testing.assert_array_equal(found, found[material.final])
    # Of targets that are dealt with in another order, or in part.
    some = np.array([9, 7, 4, 3])
    np.testing.assert_allclose(scores_of(trak.score, material.of_targets(some), **options), found[some], rtol=1e-5)


class Counted:
    """Stands in for a memory map: remembers which rows are asked for, and refuses to be read whole."""

    def __init__(self, array):
        self.array, self.shape, self.reads = array, array.shape, []

    def __getitem__(self, index):
        assert isinstance(index, slice)
        self.reads.append(range(*index.indices(len(self.array))))
        return self.array[index]

    def __array__(self, *args, **kwargs):
        raise AssertionError("read whole")


@pytest.mark.parametrize("dim", [6, 90])
@pytest.mark.parametrize(("block", "block_numbers", "most"), [(7, 10**6, 7), (1000, 360, None)])
def test_never_reads_more_than_a_block(random_material, scores_of, check, monkeypatch, dim, block, block_numbers, most):
    most = most or block_numbers // dim
    monkeypatch.setattr(trak, "BLOCK_NUMBERS", block_numbers)
    monkeypatch.setattr(trak, "TARGET_NUMBERS", 4 * dim * 2)  # four targets of two members
    material = random_material(n=60, dim=dim, targets=10, block=block)
    features = [
        dataclasses.replace(entry, train=Counted(entry.train), targets=Counted(entry.targets))
        for entry in material.features
    ]
    found = scores_of(trak.score, material.replace(features=features), ridge=0.1)
    check(material, found, ridge=0.1)
    for entry in features:
        assert max(map(len, entry.train.reads)) == most
        assert {row for read in entry.train.reads for row in read} == set(range(60))
        assert max(map(len, entry.targets.reads)) == 4


def test_memory_of_arrays_is_bounded_by_blocks(random_material, check, tmp_path, monkeypatch):
    """NumPy's own memory, with the features and the scores on disk: a small part of either."""
    monkeypatch.setattr(trak, "TARGET_NUMBERS", 1 << 10)
    n, dim, targets = 40000, 8, 60
    paths = {"train": (n, dim), "targets": (targets, dim), "out": (targets, n)}
    rng = np.random.default_rng(0)
    arrays = {}
    for name, shape in paths.items():
        array = np.lib.format.open_memmap(tmp_path / f"{name}.npy", "w+", np.float32, shape)
        array[:] = rng.standard_normal(shape)
        arrays[name] = array
    weights = np.ones(n, np.float32)
    material = Material(0, n, targets, block=100, features=[Features(arrays["train"], arrays["targets"], weights)])
    tracemalloc.start()
    try:
        trak.score(material, arrays["out"], ridge=0.1, soft_threshold=0.1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < arrays["out"].nbytes / 4
    check(material, np.array(arrays["out"]), ridge=0.1, soft_threshold=0.1)
