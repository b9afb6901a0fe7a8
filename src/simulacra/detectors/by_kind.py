"""What a table holds for the kind of a detector."""

from __future__ import annotations

from typing import TypeVar

from simulacra.detectors.base import Detector
from simulacra.errors import DetectorError
from simulacra.files.entry_points import Table

T = TypeVar("T")


def row_of(table: Table[T], detector: Detector, what: str) -> T:
    """Return the row of a table for the kind of a detector.

    Args:
        table: with one row a kind of detector.
        detector: the detector.
        what: the table holds, for the error.

    Raises:
        DetectorError: there is none.
    """
    if detector.kind not in table:
        msg = f"no {what} for detectors of kind {detector.kind!r}"
        raise DetectorError(msg)
    return table[detector.kind]
