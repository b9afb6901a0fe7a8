"""The JSON schema of ``metrics.json``, which ships with the package as ``metrics.schema.json``.

It is derived from the dataclasses of the result, so that the two cannot drift apart: a test
compares the shipped file with :func:`metrics_schema`, ``tools/write_metrics_schema.py`` renews it.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from simulacra.validation.metrics.baseline import Verdict
from simulacra.validation.result import (
    FORMER_BASELINE,
    SCHEMA_VERSION,
    Comparison,
    Validation,
    stored_fields,
)

SCHEMA_FILE = "metrics.schema.json"
Schema = dict[str, Any]
_NUMBER: Schema = {"type": ["number", "null"], "description": "null where it is undefined"}
_SIMPLE: Mapping[type, Schema] = types.MappingProxyType(
    {
        float: _NUMBER,
        int: {"type": "integer"},
        str: {"type": "string"},
        bool: {"type": "boolean"},
        types.NoneType: {"type": "null"},
    }
)


def metrics_schema() -> Schema:
    """Return the schema of what :meth:`Validation.to_json` returns."""
    definitions: dict[str, Schema] = {}
    result = _object(Validation, definitions)
    verdicts = {key: {"type": "integer", "minimum": 0} for key in get_args(Verdict)}
    head = {"schema_version": {"const": SCHEMA_VERSION}, "verdicts": _closed(verdicts)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Simulacra: metrics.json of a validation report",
        **_closed(head | result["properties"]),
        "$defs": dict(sorted(definitions.items())),
    }


def shipped_schema() -> Schema:
    """Return the schema that ships with the package."""
    file = resources.files("simulacra.validation") / SCHEMA_FILE
    return cast("Schema", json.loads(file.read_text(encoding="utf-8")))


def _object(kind: type, definitions: dict[str, Schema]) -> Schema:
    """Return the schema of a dataclass: every field is there, and nothing else."""
    hints = get_type_hints(kind)
    names = (field.name for field in stored_fields(kind))
    properties = {name: _schema(hints[name], definitions) for name in names}
    if kind is Comparison:
        properties[FORMER_BASELINE] = properties["baseline"]
    return _closed(properties)


def _closed(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema(hint: Any, definitions: dict[str, Schema]) -> Schema:  # noqa: ANN401 - a type hint
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(argument, definitions) for argument in arguments]}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if origin is tuple:
        return _array(arguments, definitions)
    if origin is np.ndarray:  # rows of a matrix are arrays
        return {"type": "array", "items": {"type": ["number", "null", "array"]}}
    if not dataclasses.is_dataclass(hint):
        msg = f"no schema for {hint!r}"
        raise TypeError(msg)
    kind = cast("type", hint)
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # a place, should it refer to itself
        definitions[kind.__name__] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _array(arguments: tuple[Any, ...], definitions: dict[str, Schema]) -> Schema:
    """Return the schema of a tuple: of any length, or with a type for each place."""
    if arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    places = [_schema(argument, definitions) for argument in arguments]
    return {"type": "array", "prefixItems": places, "minItems": len(places), "items": False}
