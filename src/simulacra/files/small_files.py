"""Files that are read whole: text and JSON, whose size is asked before memory is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulacra.errors import SimulacraError

LARGEST = 20_000_000
"""Bytes of a text file: as Python objects it takes some hundred times as many."""


def read_small(path: Path, kind: type[SimulacraError], largest: int = LARGEST) -> bytes:
    """Return the content of a file of at most ``largest`` bytes; a larger one is a ``kind``."""
    size = path.stat().st_size
    if size > largest:
        msg = f"{path}: {size / 1e6:.3g} MB; at most {largest / 1e6:.3g} MB of such a file are read"
        raise kind(msg)
    return path.read_bytes()


def read_text(
    path: Path, kind: type[SimulacraError], largest: int = LARGEST, encoding: str = "utf-8"
) -> str:
    """Return the text of a file; what is too large or not UTF-8 is an error of ``kind``."""
    try:
        return read_small(path, kind, largest).decode(encoding)
    except UnicodeDecodeError:
        msg = f"{path}: not a text file in UTF-8"
        raise kind(msg) from None


def parse_object(content: str | bytes) -> dict[str, Any]:
    """Return the JSON object that a text is.

    Raises:
        ValueError: it is another value or no JSON, not UTF-8, or nested too deeply.
    """
    try:
        found = json.loads(content)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    if not isinstance(found, dict):
        msg = f"a JSON object is needed, not a {type(found).__name__}"
        raise ValueError(msg)
    return found
