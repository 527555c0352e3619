import numpy as np
import pytest

from trakway.explorer.reverse import most_moved


@pytest.mark.parametrize("entries", [2, 5, 30])
def test_the_entries_moved_most_are_those_of_brute_force(entries):
    rng = np.random.default_rng(0)
    scores = (rng.normal(size=(entries, 17)) * 10.0 ** rng.integers(-3, 3, (entries, 1))).astype(np.float32)
    chosen, values, ranked = most_moved(scores, 4)
    count = min(4, entries // 2)
    spread = scores.std(axis=1, dtype=np.float64)
    assert chosen.shape == values.shape == ranked.shape == (17, 2 * count)
    for example in range(17):
        order = sorted(range(entries), key=lambda entry: -scores[entry, example] / spread[entry])
        assert chosen[example].tolist() == order[:count] + order[entries - count :]
        for entry, value, rank in zip(chosen[example], values[example], ranked[example], strict=True):
            assert value == scores[entry, example]
            assert rank == (scores[entry] > value).sum()


def test_an_entry_whose_scores_are_all_zero():
    scores = np.zeros((4, 3), np.float32)
    scores[1] = [1, 0, -1]
    chosen, values, _ = most_moved(scores, 1)
    assert (chosen[0, 0], chosen[2, -1]) == (1, 1)
    assert np.isfinite(values).all()
