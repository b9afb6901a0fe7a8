"""Heaps of texts in HDF5 files: a damaged one makes HDF5 search it without end.

Attributes that are texts lie in global heaps: collections of objects, each with its size. HDF5
(1.14) goes from object to object; free space of the size zero leads to itself for ever, inside one
call that neither Ctrl-C nor an exception ends. Layout: HDF5 File Format Specification 3.0, III.E.
"""

from __future__ import annotations

import os
from pathlib import Path

from simulacra.errors import EventsError

START = b"GCOL\x01"
"""What a collection begins with: signature and version."""
HEADER = 16
"""Bytes before the first object, and of each object before its data."""
SEARCHED = 8_000_000
"""Bytes at the beginning of a file, and as many at its end, in which heaps are searched."""


def require_finite_heaps(path: Path) -> None:
    """Raise an :class:`EventsError` where a heap of texts has no end."""
    with path.open("rb") as file:
        parts = [file.read(SEARCHED)]
        rest = os.fstat(file.fileno()).st_size - SEARCHED
        if rest > 0:
            file.seek(-min(rest, SEARCHED), os.SEEK_END)
            parts.append(file.read(SEARCHED))
    for part in parts:
        start = part.find(START)
        while start >= 0:
            _require_end(part, start)
            start = part.find(START, start + 1)


def _require_end(content: bytes, start: int) -> None:
    """Go through the objects of a collection as HDF5 does."""
    place, end = start + HEADER, min(start + _number(content, start + 8), len(content))
    while place + HEADER <= end:
        size = _number(content, place + 8)
        is_free = not int.from_bytes(content[place : place + 2], "little")
        if is_free and not size:
            msg = "damaged: a heap of texts leads to itself"
            raise EventsError(msg)
        place += size if is_free else HEADER + size + -size % 8


def _number(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 8], "little")
