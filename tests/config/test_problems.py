import pytest

from trakway.config.problems import describe, did_you_mean, dotted, raise_all, schema_problems, show, value_at
from trakway.errors import UserError


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1}, "a whole number >= 1"),
        ({"type": ["integer", "null"], "minimum": 1}, "a whole number >= 1, or null"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "a number > 0 and < 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "a number > 0 and <= 1"),
        ({"type": "number"}, "a number"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "string"}, "text"),
        ({"enum": ["a", "b"]}, "one of a, b"),
        (
            {"type": ["array", "null"], "minItems": 2, "uniqueItems": True, "items": {"type": "string"}},
            "a list of at least 2 without repeats, each text, or null",
        ),
        (
            {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "integer"}},
            "a list of 4, each a whole number",
        ),
        (
            {"type": "object", "properties": {"a": {}, "b": {}}, "minProperties": 1},
            "a mapping with keys among a, b, at least 1",
        ),
    ],
)
def test_describe(schema, words):
    assert describe(schema) == words


def test_small_words():
    assert dotted(("removal", "methods", 1)) == "removal.methods[1]"
    assert did_you_mean("TRACK", ["trak", "random"]) == 'Did you mean "trak"? '
    assert did_you_mean("zzz", ["trak"]) == ""
    assert show({"a": None, "b": [True]}) == '{"a": null, "b": [true]}'
    assert len(show("x" * 500)) == 80
    assert value_at({"a": [{"b": 1}, {"b": 2}]}, "a.1.b") == 2


def test_one_line_a_place_and_no_error_without_lines():
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "maximum": 1}}}
    assert len(schema_problems({"a": 2}, schema)) == 1
    raise_all([])
    with pytest.raises(UserError) as caught:
        raise_all(["one", "two", "one"])
    assert str(caught.value) == "one\ntwo"
