import numpy as np
import pytest

from trakway.attribution.inputs import INPUTS
from trakway.attribution.material import Material
from trakway.attribution.methods import trak
from trakway.attribution.scoring import score_function
from trakway.plan import allowed_methods, modalities

METHODS = {name: [m for m in allowed_methods(modality) if m != "random"] for name, modality in modalities().items()}


@pytest.mark.parametrize("index", [slice(1, 3), slice(2, None), np.array([3, 0])])
@pytest.mark.parametrize("name", METHODS["image_classification"])
def test_scores_of_some_targets_are_those_rows_of_all(random_material, scores_of, chosen, name, index):
    check_rows(random_material(targets=4), scores_of, chosen(name), index)


@pytest.mark.parametrize("index", [slice(0, 7), slice(7, None), np.array([9, 6, 7])], ids=str)
@pytest.mark.parametrize("name", METHODS["image_diffusion"])
def test_scores_of_some_entries_are_those_rows_of_all(journey_material, scores_of, chosen, name, index):
    """The evaluated ones first, as a run computes them, those for tuning, and any."""
    check_rows(journey_material(), scores_of, chosen(name), index)


def check_rows(material, scores_of, chosen, index):
    material = material.only(chosen.method.reads)
    score = score_function(chosen)
    options = {"ridge": 0.1} if "ridge" in chosen.options else {}
    part = material.of_targets(index)
    assert part.targets == len(np.arange(material.targets)[index])
    found = scores_of(score, part, **options)
    np.testing.assert_allclose(found, scores_of(score, material, **options)[index], rtol=1e-5, atol=1e-6)


def test_absent_things_stay_absent():
    empty = Material(0, 5, 4)
    part = empty.of_targets(slice(0, 2)).of_members(3)
    assert (part.targets, part.size) == (2, 5)
    assert empty.of_targets(slice(4, None)).targets == 0
    assert part.final is part.timesteps is None
    assert part.inputs == {}


class TestInputs:
    @pytest.mark.parametrize("name", INPUTS)
    def test_what_is_not_declared_is_not_seen_and_says_what_to_declare(self, journey_material, name):
        whole = journey_material()
        part = whole.only(tuple(other for other in INPUTS if other != name))
        with pytest.raises(AttributeError) as caught:
            getattr(part, name)
        assert str(caught.value) == (
            f"material.{name}: not loaded; a method sees what it declares: METHOD = Method(reads=('{name}', ...))"
        )
        assert all(getattr(part, other) is getattr(whole, other) for other in INPUTS if other != name)
        assert getattr(whole.only((name,)), name) is getattr(whole, name)
        assert whole.only((name,)).inputs.keys() == {name}

    def test_other_attributes_stay(self, journey_material):
        whole = journey_material()
        part = whole.only(())
        for name in ("seed", "size", "targets", "final", "timesteps", "block", "device", "cache"):
            assert getattr(part, name) is getattr(whole, name)

    def test_no_such_attribute(self, random_material):
        with pytest.raises(AttributeError, match="^fetures$"):
            random_material().fetures  # noqa: B018
        assert not hasattr(Material(0, 5, 4), "__array__")

    def test_replaced_in_a_copy(self, random_material):
        material = random_material()
        before = dict(material.inputs)
        other = material.replace(labels=None, norm=[], block=3)
        assert (other.labels, other.norm, other.block) == (None, [], 3)
        assert (material.inputs, material.block) == (before, 4096)
        assert other.cache is material.cache


def test_of_members_keeps_the_first(random_material):
    material = random_material(members=4)
    part = material.of_members(3)
    assert part.features == material.features[:3]
    assert part.checkpoints == [entries[:3] for entries in material.checkpoints]
    assert part.representations == material.representations[:3]
    assert part.estimation is material.estimation


def test_of_subsets_keeps_the_first(random_material):
    material = random_material()
    part = material.of_subsets(7)
    np.testing.assert_array_equal(part.estimation.masks, material.estimation.masks[:7])
    np.testing.assert_array_equal(part.estimation.outputs, material.estimation.outputs[:7])
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


def test_cuts_of_what_diffusion_adds(journey_material):
    material = journey_material(members=4)
    part = material.of_members(3)
    assert part.norm == material.norm[:3]
    assert part.windows == {step: entries[:3] for step, entries in material.windows.items()}
    np.testing.assert_array_equal(part.timesteps, material.timesteps)
    some = np.array([8, 7, 3])
    part = material.of_targets(some)
    np.testing.assert_array_equal(part.timesteps, material.timesteps[some])
    np.testing.assert_array_equal(part.examples.seen, material.examples.seen[some])
    assert part.labels is None
    assert part.windows is material.windows
    for one, other in zip(part.norm, material.norm, strict=True):
        assert one.train is other.train
        np.testing.assert_array_equal(one.targets, other.targets[some])


class TestWholes:
    def test_entries_without_a_timestep_and_where_those_of_the_others_are(self, journey_material):
        material = journey_material()
        wholes, place = material.of_wholes()
        assert wholes.targets == 4
        assert (wholes.timesteps == -1).all()
        np.testing.assert_array_equal(wholes.final, np.arange(4))
        np.testing.assert_array_equal(place, [0, 0, 0, 1, 1, 1, 2, 3, 3, 3])
        for own, entry in zip(wholes.features, material.features, strict=True):
            np.testing.assert_array_equal(own.targets, entry.targets[[0, 3, 6, 7]])
        np.testing.assert_array_equal(wholes.examples.targets[place], material.examples.targets[material.final])

    def test_of_a_part_in_any_order(self, journey_material):
        material = journey_material()
        wholes, place = material.of_targets(np.array([8, 4, 7, 3])).of_wholes()
        found = wholes.features[0].targets[place]
        np.testing.assert_array_equal(found, material.features[0].targets[[7, 3, 7, 3]])

    def test_where_nothing_has_a_timestep_all_are(self, random_material):
        material = random_material()
        wholes, place = material.of_wholes()
        assert wholes is material
        assert place is None


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
    material = Material(0, 5, 6, final=np.array([0, 0, 0, 3, 3, 5]))
    np.testing.assert_array_equal(material.of_targets(index).final, final)


@pytest.mark.parametrize("index", [slice(1, 3), np.array([0, 4])])
def test_no_entry_is_kept_without_its_final_one(index):
    material = Material(0, 5, 6, final=np.array([0, 0, 0, 3, 3, 5]))
    with pytest.raises(ValueError, match="without the entry of its image that has no timestep"):
        material.of_targets(index)
