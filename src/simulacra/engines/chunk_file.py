"""The file of a finished chunk: arrays and facts, whole or not at all, with their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulacra.arrays import Array
from simulacra.errors import EventsError, SimulacraError
from simulacra.io.datasets import opened, read_numbers
from simulacra.io.writing import created, write_dataset

FACTS, DIGEST = "facts", "sha256"


def write_chunk(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write arrays, first axis the event, and JSON-like facts to an HDF5 file."""
    with created(path, sweep=False) as file:
        for name, array in arrays.items():
            write_dataset(file, name, array)
        file.attrs[FACTS] = json.dumps(dict(facts), sort_keys=True)
        file.attrs[DIGEST] = _digest(arrays, str(file.attrs[FACTS]))


def read_chunk(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays and the facts of :func:`write_chunk`.

    Raises:
        SimulacraError: the file is damaged.
    """
    try:
        with opened(path) as file:
            arrays = {name: read_numbers(file, name) for name in file}
            facts = str(file.attrs[FACTS])
            whole = _digest(arrays, facts) == str(file.attrs[DIGEST])
        if whole:
            return arrays, json.loads(facts)
    except (EventsError, KeyError, ValueError, TypeError):
        pass
    msg = f"{path} is damaged: remove it and run the same command again"
    raise SimulacraError(msg)


def _digest(arrays: Mapping[str, Array], facts: str) -> str:
    digest = hashlib.sha256(facts.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
