import numpy as np
import pytest

from trakway import attribution
from trakway.attribution import gradient_dot, trak
from trakway.plan import NEEDS


def test_method_finds_the_function_by_name():
    assert attribution.method("gradient_dot") is gradient_dot.score


@pytest.mark.parametrize("index", [slice(1, 3), slice(2, None), np.array([3, 0])])
@pytest.mark.parametrize("name", [name for name in NEEDS if name != "random"])
def test_scores_of_some_targets_are_those_rows_of_all(random_material, scores_of, name, index):
    material = random_material(targets=4)
    score = attribution.method(name)
    options = {"ridge": 0.1} if name == "trak" else {}
    part = material.of_targets(index)
    assert part.targets == len(np.arange(4)[index])
    found = scores_of(score, part, **options)
    np.testing.assert_allclose(found, scores_of(score, material, **options)[index], rtol=1e-5, atol=1e-6)


def test_absent_things_stay_absent():
    empty = attribution.Material(0, 5, 4)
    part = empty.of_targets(slice(0, 2)).of_members(3)
    assert (part.targets, part.size) == (2, 5)
    assert empty.of_targets(slice(4, None)).targets == 0
    assert part.images is part.labels is part.outputs is part.masks is part.final is None
    assert [*part.features, *part.checkpoints, *part.representations, *part.norm, *part.windows] == []


def test_of_members_keeps_the_first(random_material):
    material = random_material(members=4)
    part = material.of_members(3)
    assert part.features == material.features[:3]
    assert part.checkpoints == [entries[:3] for entries in material.checkpoints]
    assert part.representations == material.representations[:3]
    assert part.masks is material.masks


def test_of_subsets_keeps_the_first(random_material):
    material = random_material()
    part = material.of_subsets(7)
    np.testing.assert_array_equal(part.masks, material.masks[:7])
    np.testing.assert_array_equal(part.outputs, material.outputs[:7])
    assert part.features is material.features


def test_cuts_share_the_cache_and_may(random_material, scores_of):
    """A kernel made for some targets, or for all members, serves the others."""
    material = random_material(targets=4, members=3)
    first = scores_of(trak.score, material.of_targets(slice(0, 2)), ridge=0.1)
    assert material.cache
    part = material.of_members(2)
    assert part.cache is material.cache
    alone = random_material(targets=4, members=3).of_members(2)
    np.testing.assert_array_equal(scores_of(trak.score, part, ridge=0.1), scores_of(trak.score, alone, ridge=0.1))
    np.testing.assert_allclose(scores_of(trak.score, material, ridge=0.1)[:2], first, rtol=1e-5)


def test_cuts_of_what_diffusion_adds(random_material):
    other = random_material(seed=1, members=4, targets=5)
    windows = {100: other.checkpoints[0], 900: other.checkpoints[1]}
    material = random_material(members=4, targets=5, norm=other.features, windows=windows)
    part = material.of_members(3)
    assert part.norm == other.features[:3]
    assert part.windows == {100: other.checkpoints[0][:3], 900: other.checkpoints[1][:3]}
    part = material.of_targets(np.array([4, 1]))
    for cut, whole in zip(
        [*part.norm, *part.windows[100], *part.windows[900]],
        [*other.features, *other.checkpoints[0], *other.checkpoints[1]],
        strict=True,
    ):
        assert cut.train is whole.train
        np.testing.assert_array_equal(cut.targets, whole.targets[[4, 1]])


@pytest.mark.parametrize(
    ("index", "final"),
    [
        (slice(0, 3), [0, 0, 0]),
        (slice(3, None), [0, 0, 2]),
        (np.array([5, 4, 3]), [0, 2, 2]),
        (np.array([0, 0, 3]), [1, 1, 2]),  # twice the same image: either will do
        (np.array([], int), []),
    ],
)
def test_final_entries_are_numbered_anew(index, final):
    material = attribution.Material(0, 5, 6, final=np.array([0, 0, 0, 3, 3, 5]))
    np.testing.assert_array_equal(material.of_targets(index).final, final)


@pytest.mark.parametrize("index", [slice(1, 3), np.array([0, 4])])
def test_no_entry_is_kept_without_its_final_one(index):
    material = attribution.Material(0, 5, 6, final=np.array([0, 0, 0, 3, 3, 5]))
    with pytest.raises(ValueError, match="without the entry of its image that has no timestep"):
        material.of_targets(index)
