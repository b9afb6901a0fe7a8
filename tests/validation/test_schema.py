"""What is written follows the schema that ships, and the schema follows the result."""

import json

import pytest

from simulacra.validation import validate
from simulacra.validation.schema import metrics_schema, shipped_schema
from tests.calochallenge import showers_like

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "null": type(None),
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def problems(value, schema, root, path="$"):
    """The part of JSON Schema that ours uses; yields what is wrong."""
    if "$ref" in schema:
        yield from problems(value, root["$defs"][schema["$ref"].split("/")[-1]], root, path)
        return
    if "anyOf" in schema:
        if all(list(problems(value, option, root, path)) for option in schema["anyOf"]):
            yield f"{path}: none of the options"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{path}: not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: not one of {schema['enum']}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, TYPES[kind]) for kind in kinds):
        yield f"{path}: {type(value).__name__} is not {kinds}"
        return
    if isinstance(value, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
        for key in schema.get("required", []):
            if key not in value:
                yield f"{path}: {key} is missing"
        for key, item in value.items():
            if key not in properties and rest is False:
                yield f"{path}: {key} is not expected"
            else:
                yield from problems(item, properties.get(key, rest or {}), root, f"{path}.{key}")
    if isinstance(value, list):
        places = schema.get("prefixItems", [])
        if len(value) < schema.get("minItems", 0):
            yield f"{path}: too short"
        for i, item in enumerate(value):
            inner = places[i] if i < len(places) else schema.get("items", {})
            if inner is False:
                yield f"{path}: too long"
            else:
                yield from problems(item, inner, root, f"{path}[{i}]")


@pytest.fixture(scope="module")
def content(small_validation):
    return json.loads(json.dumps(small_validation.to_json(), allow_nan=False))


def test_the_shipped_schema_is_that_of_the_result():
    assert shipped_schema() == metrics_schema(), "run tools/write_metrics_schema.py"


def test_a_report_follows_the_schema(content):
    schema = shipped_schema()
    assert list(problems(content, schema, schema)) == []
    assert content["resolution"] is not None
    assert content["impact_profiles"]


def test_a_report_with_official_scores_follows_the_schema():
    events = showers_like("1-photons", 60)
    content = validate(events, events, legacy="1-photons").to_json()
    schema = shipped_schema()
    assert list(problems(json.loads(json.dumps(content)), schema, schema)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("verdicts"), "verdicts is missing"),
        (lambda c: c.update(extra=1), "extra is not expected"),
        (lambda c: c["limits"].append(1.0), "too long"),
        (lambda c: c.update(seed="0"), "str is not"),
        (lambda c: c["resolution"]["reference"]["terms"]["a"].pop("error"), "none of the options"),
    ],
)
def test_the_schema_refuses_what_is_wrong(content, change, words):
    wrong = json.loads(json.dumps(content))
    change(wrong)
    schema = shipped_schema()
    assert any(words in problem for problem in problems(wrong, schema, schema))
