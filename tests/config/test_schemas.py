import math

import jsonschema
import pytest

from trakway.config.merging import complete
from trakway.config.schemas import Validator, load_schema, relaxed
from trakway.errors import UserError
from trakway.plan.places import builtin


def nodes(schema, path=()):
    """All keys of a schema: (path, node, is required)."""
    for key, node in schema.get("properties", {}).items():
        yield (*path, key), node, key in schema.get("required", ())
        yield from nodes(node, (*path, key))
        yield from nodes(node.get("items", {}), (*path, key, "items"))


@pytest.fixture(params=["config", "experiment"])
def schema(request):
    return load_schema(request.param)


def test_is_a_draft_2020_12_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")


def test_every_key_is_described_closed_and_has_a_valid_default_or_is_required(schema):
    assert list(nodes(schema))
    assert schema["additionalProperties"] is False
    for path, node, required in nodes(schema):
        assert node.get("description"), path
        open_to_options = path[-1] in ("model", "dataset")
        assert path[0] == "tiers" or "properties" not in node or node["additionalProperties"] is open_to_options, path
        if "items" in path:
            # Lists are not merged: each of their items is whole. A method in `methods` is given in several ways.
            assert required or path[0] == "methods", path
            assert "default" not in node, path
        elif node.get("type") == "object":
            assert required or "default" not in node, path
        else:
            assert required != ("default" in node), path
        if "default" in node:
            Validator(node).validate(complete(node["default"], node))


def test_conditions_can_hold_and_bring_nothing_but_valid_defaults(schema):
    conditional = [((), schema, True), *nodes(schema)]
    for path, node, _ in conditional:
        condition = node.get("if", {"properties": {}, "required": []})
        assert set(condition["required"]) == set(condition["properties"]), path  # else a key left out fulfils it
        for key, part in condition["properties"].items():
            sub = node["properties"][key]
            if "const" in part:
                assert part["const"] in (sub["enum"] if "enum" in sub else builtin(sub["names"])), path
            else:
                assert part["type"] in sub["type"], path
        for key, part in node.get("then", {"properties": {}})["properties"].items():
            assert list(part) == ["default"], path
            Validator(node["properties"][key]).validate(part["default"])
    assert any("if" in node for _, node, _ in conditional) == ("task" in schema["properties"])


@pytest.mark.parametrize(
    ("kind", "value", "valid"),
    [
        ("integer", 8, True),
        ("integer", True, False),
        ("integer", 8.0, False),
        ("integer", "8", False),
        ("number", 8, True),
        ("number", 0.5, True),
        ("number", False, False),
        ("number", math.nan, False),
        ("number", math.inf, False),
        ("number", 10**400, False),
        ("number", "1", False),
    ],
)
def test_what_counts_as_a_number(kind, value, valid):
    assert Validator({"type": kind}).is_valid(value) is valid


def test_relaxed_requires_nothing_and_leaves_the_schema_alone(schema):
    before = repr(schema)
    part = relaxed(schema, without=("tiers",) if "tiers" in schema["properties"] else ())
    assert not any(required for path, _, required in nodes(part) if "items" not in path)
    assert "tiers" not in part["properties"]
    Validator(part).validate({})
    assert repr(schema) == before


def test_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"experiment\.schema\.yaml: this schema is missing.*clone"):
        load_schema("experiment", tmp_path)
