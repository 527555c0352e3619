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
    assert part.images is part.labels is part.outputs is part.masks is None
    assert [*part.features, *part.checkpoints, *part.representations] == []


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
