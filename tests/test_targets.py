import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.targets import draw_targets


def rows(table, role):
    return table["row"][table["role"] == role].tolist()


@given(size=st.integers(0, 60), count=st.integers(0, 30), tuning=st.integers(0, 30), seed=st.integers(0, 2**31))
def test_columns_and_disjoint_groups(size, count, tuning, seed):
    labels = np.random.default_rng(seed).integers(0, 3, size)
    if count + tuning > size:
        with pytest.raises(UserError, match=rf"count {count} \+ tuning {tuning}, allowed: {size} .* dataset.test_size"):
            draw_targets(labels, count, tuning, seed)
        return
    table = draw_targets(labels, count, tuning, seed)
    assert list(table.columns) == ["target", "row", "role", "label"]
    assert table["target"].tolist() == list(range(count + tuning))
    assert table["role"].tolist() == ["evaluation"] * count + ["tuning"] * tuning
    assert table["row"].is_unique
    assert table["row"].between(0, size - 1).all()
    np.testing.assert_array_equal(table["label"], labels[table["row"].to_numpy(int)])


@given(count=st.integers(0, 20), tuning=st.integers(0, 20), more=st.integers(0, 10), seed=st.integers(0, 99))
def test_a_group_does_not_depend_on_the_size_of_the_other(count, tuning, more, seed):
    labels = np.zeros(50, int)
    table = draw_targets(labels, count, tuning, seed)
    assert rows(draw_targets(labels, count, tuning + more, seed), "evaluation") == rows(table, "evaluation")
    assert rows(draw_targets(labels, count + more, tuning, seed), "tuning") == rows(table, "tuning")
    assert rows(draw_targets(labels, count + more, tuning, seed), "evaluation")[:count] == rows(table, "evaluation")


def test_the_draw_is_uniform_and_seeded():
    labels = np.zeros(10, int)
    drawn = [tuple(rows(draw_targets(labels, 3, 2, seed), "evaluation")) for seed in range(2000)]
    assert drawn[0] == tuple(rows(draw_targets(labels, 3, 2, 0), "evaluation"))
    assert len(set(drawn)) > 500
    share = np.bincount(np.ravel(drawn), minlength=10) / 2000
    assert np.abs(share - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / 2000)
