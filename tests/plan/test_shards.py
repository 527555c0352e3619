import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.plan import check_once, compact, expand, shards

WORDS = st.text("ab/.-@0123456789", max_size=12)


def round_trip(paths):
    return [path for word in compact(paths) for path in expand(word)]


def test_all_shards_are_one_word():
    paths = [f"outputs/{shard}.npy" for shard in shards(150, 50)]
    assert compact(paths) == ["outputs/{}.npy@150/50"]
    assert expand("outputs/{}.npy@150/50") == paths


def test_kinds_of_files_are_a_word_each():
    paths = [f"f/{shard}/{name}.json" for shard in shards(5, 2) for name in ("train", "targets")]
    assert compact(["first", *paths, "last"]) == ["first", "f/{}/train.json@5/2", "f/{}/targets.json@5/2", "last"]


def test_what_is_no_whole_cut_in_order_stays():
    paths = [f"o/{shard}.npy" for shard in shards(9, 3)]
    for some in (paths[1:], paths[::-1], paths[::2], [*paths, paths[0]], ["o/00003-00003.npy"]):
        assert compact(some) == some
    assert compact(["00000-00002/00000-00002"]) == ["00000-00002/00000-00002"]
    assert compact([]) == []


def test_other_words_are_paths():
    for word in ("a", "a@3/2", "{}", "{}@3", "{}@3/x", "{}{}@3/2", "{}@-3/2"):
        assert expand(word) == [word]


@given(st.lists(st.tuples(WORDS, st.integers(0, 40), st.integers(1, 9), WORDS), max_size=4))
@example([("a", 250_000, 120_000, "")])
def test_round_trip_of_cuts(cuts):
    """In their order, one word a cut; among others none is lost."""
    lists = [[f"{before}{shard}{after}" for shard in shards(models, size)] for before, models, size, after in cuts]
    paths = [path for part in lists for path in part]
    assert sorted(round_trip(paths)) == sorted(paths)
    for part in lists:
        assert round_trip(part) == part
        assert len(compact(part)) <= max(len(part), 1)


@given(st.lists(st.text("{}01-/@", max_size=14)))
@example(["{}"])
@example(["a{}00000-00002", "a{}00002-00004"])
def test_paths_with_braces_stay_as_they_are(paths):
    assert sorted(compact(paths)) == sorted(paths)


@pytest.mark.parametrize(
    "pattern", ["outputs/evaluation/{}.npy", "features/sjlt1-64/output/1/{}", "train/members/{}.json"]
)
def test_a_model_in_two_shards(pattern):
    """As a folder holds them after two members became three."""
    cuts = [pattern.format(shard) for shard in ("00000-00002", "00000-00003")]
    for shards_of_one in (cuts[:1], [pattern.format("00000-00002"), pattern.format("00002-00003")], ["a", "b"]):
        check_once(shards_of_one)
    with pytest.raises(UserError, match="found model 0, which .*00000-00002.* has too; allowed: .* make clean-stale"):
        check_once(cuts)
