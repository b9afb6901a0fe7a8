"""Reading ``metrics.json`` back: the inverse of :meth:`Validation.to_json`.

Types come from the dataclasses of the result, as those of the schema do (:mod:`.schema`).
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from simulacra.errors import SimulacraError
from simulacra.validation.former import OLDEST, converted
from simulacra.validation.result import SCHEMA_VERSION, Validation, stored_fields


def load_validation(path: str | Path) -> Validation:
    """Return the result that a report's ``metrics.json`` has; see :meth:`Validation.load`."""
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; give the metrics.json of a report"
        raise SimulacraError(msg) from error
    except ValueError as error:
        msg = f"{path} is not JSON: give the metrics.json of a report"
        raise SimulacraError(msg) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version is None:
        msg = f"{path} is not the metrics.json of a report: it states no schema_version"
        raise SimulacraError(msg)
    if version not in range(OLDEST, SCHEMA_VERSION + 1):
        msg = (
            f"{path} has schema version {version}, this release reads versions {OLDEST} to "
            f"{SCHEMA_VERSION}: validate the samples again, or read the file as plain JSON"
        )
        raise SimulacraError(msg)
    try:
        if version < SCHEMA_VERSION:
            content = converted(content, version)
        result: Validation = _read(Validation, content, "metrics")
    except KeyError as error:
        msg = f"{path} is damaged: {error.args[0]} is missing"
        raise SimulacraError(msg) from error
    except (AttributeError, TypeError, ValueError) as error:  # a value of another type
        msg = f"{path} is damaged: {error}"
        raise SimulacraError(msg) from error
    return result


def _read(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - of any type of the result
    """Return a value of the type ``hint`` from what JSON has; an undefined number is nan."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if hint is float:
        return math.nan if value is None else float(value)
    if origin in (Union, types.UnionType):
        (own,) = (a for a in arguments if a is not types.NoneType)
        return None if value is None else _read(own, value, where)
    if origin is Literal:
        if value not in arguments:
            msg = f"{where} is {value!r}"
            raise ValueError(msg)
        return value
    if origin is Mapping:
        return {name: _read(arguments[1], v, f"{where}.{name}") for name, v in value.items()}
    if origin is tuple:
        return _read_tuple(arguments, value, where)
    if origin is np.ndarray:
        return np.array(value, dtype=np.float64)  # None becomes nan
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _read_record(hint, value, where)
    if not isinstance(value, hint):
        msg = f"{where} is {value!r}"
        raise TypeError(msg)
    return value


def _read_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401
    """Return a tuple: of any length, or with a type for each place."""
    of_any_length = arguments[-1] is Ellipsis
    hints = arguments[:1] * len(value) if of_any_length else arguments
    return tuple(
        _read(hint, item, f"{where}.{i}")
        for i, (hint, item) in enumerate(zip(hints, value, strict=True))
    )


def _read_record(kind: type, value: Any, where: str) -> Any:  # noqa: ANN401 - a dataclass
    hints = get_type_hints(kind)
    found = {}
    for field in stored_fields(kind):
        place = f"{where}.{field.name}"
        if field.name not in value:
            msg = f"{place} is missing"
            raise ValueError(msg)
        found[field.name] = _read(hints[field.name], value[field.name], place)
    return kind(**found)
