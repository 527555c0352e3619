import copy

from hypothesis import given
from hypothesis import strategies as st

from trakway.config import deep_merge
from trakway.config.merging import complete

leaves = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "é"]) | st.lists(st.integers(), max_size=3)
)
mappings = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), leaves | inner, max_size=3),
    max_leaves=12,
)


def paths(value, prefix=()):
    """All leaves: path to value, an empty mapping being a leaf."""
    if isinstance(value, dict) and value:
        return {path: leaf for key in value for path, leaf in paths(value[key], (*prefix, key)).items()}
    return {prefix: value}


@given(mappings, mappings)
def test_merge_takes_every_leaf_from_over_and_the_rest_from_base(base, over):
    kept_base, kept_over = copy.deepcopy(base), copy.deepcopy(over)
    merged = deep_merge(base, over)
    assert (base, over) == (kept_base, kept_over)
    leaves_of_merged, leaves_of_over = paths(merged), paths(over)
    for path, leaf in leaves_of_over.items():
        if leaf != {}:
            assert leaves_of_merged[path] == leaf
    for path, leaf in leaves_of_merged.items():
        if path not in leaves_of_over and leaf != {}:
            assert paths(base)[path] == leaf
    for path, leaf in paths(base).items():
        hidden = any(path[: len(q)] == q or q[: len(path)] == path for q in leaves_of_over)
        if not hidden:
            assert leaves_of_merged[path] == leaf


@given(mappings, mappings, mappings)
def test_merge_has_a_unit_repeats_to_nothing_and_the_last_word_wins(a, b, c):
    assert deep_merge(a, {}) == a
    assert deep_merge({}, a) == a
    assert deep_merge(a, a) == a
    assert deep_merge(deep_merge(a, b), b) == deep_merge(a, b)
    if all(isinstance(x, dict) == isinstance(y, dict) for x, y in ((a, b), (b, c))):
        assert set(deep_merge(deep_merge(a, b), c)) == set(a) | set(b) | set(c)


def test_merge_shares_nothing_with_its_arguments():
    base, over = {"a": {"b": [1]}, "d": [1]}, {"a": {"c": [2]}}
    merged = deep_merge(base, over)
    for place in (merged["a"]["b"], merged["a"]["c"], merged["d"]):
        place.append(3)
    assert base == {"a": {"b": [1]}, "d": [1]}
    assert over == {"a": {"c": [2]}}


def test_lists_and_null_replace():
    assert deep_merge({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": None}) == {"a": [3], "b": None}


SCHEMA = {
    "properties": {
        "x": {"type": "number", "default": 1},
        "inner": {
            "type": "object",
            "properties": {
                "kind": {"enum": ["p", "q"], "default": "p"},
                "w": {"type": ["array", "null"], "default": None},
            },
            "if": {"properties": {"kind": {"const": "q"}}, "required": ["kind"]},
            "then": {"properties": {"w": {"default": [7]}}},
        },
        "list": {"type": "array", "items": {"type": "number"}},
        "maybe": {"type": ["object", "null"], "properties": {"y": {"type": "number", "default": 2}}},
        "count": {"type": "integer"},
    }
}


def test_complete_fills_orders_and_makes_floats():
    done = complete({"count": 3, "list": [1, 0.5, True], "inner": {"kind": "q"}, "stray": 1}, SCHEMA)
    assert list(done) == ["x", "inner", "list", "count"]
    assert repr(done) == "{'x': 1.0, 'inner': {'kind': 'q', 'w': [7]}, 'list': [1.0, 0.5, True], 'count': 3}"
    assert complete({}, SCHEMA) == {"x": 1.0, "inner": {"kind": "p", "w": None}}


def test_a_mapping_that_may_be_null_is_completed_where_it_is_given():
    assert complete({"maybe": None}, SCHEMA)["maybe"] is None
    assert complete({"maybe": {}}, SCHEMA)["maybe"] == {"y": 2.0}
    assert "maybe" not in complete({}, SCHEMA)


def test_a_condition_of_a_type():
    schema = {
        "properties": {"a": {"default": 8}, "b": {"default": None}},
        "if": {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
        "then": {"properties": {"a": {"default": None}}},
    }
    assert complete({"b": 3}, schema) == {"a": None, "b": 3}
    assert complete({"b": None}, schema) == {"a": 8, "b": None}
    assert complete({}, schema) == {"a": 8, "b": None}
    assert complete({"a": 1, "b": 3}, schema) == {"a": 1, "b": 3}


def test_complete_does_not_lend_out_the_defaults():
    complete({"inner": {"kind": "q"}}, SCHEMA)["inner"]["w"].append(8)
    assert complete({"inner": {"kind": "q"}}, SCHEMA)["inner"]["w"] == [7]
