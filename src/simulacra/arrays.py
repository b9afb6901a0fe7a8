"""Array types for signatures, and response arrays filled block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Rows = int | slice | Sequence[int] | Sequence[bool] | Array
"""Which rows: one, a slice, places or a Boolean mask."""


def row_index(rows: Rows) -> slice | Array:
    """Return rows as an index that keeps the axis of the rows.

    Example:
        >>> row_index(3), row_index([True, False])
        (array([3]), array([ True, False]))
    """
    if isinstance(rows, slice):
        return rows
    index = np.atleast_1d(np.asarray(rows))
    return index if index.size or index.dtype == bool else index.astype(np.intp)


class Shaped(Protocol):
    """The shape of an array for a single event."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the axis of the events."""


def filled(
    blocks: Iterable[Mapping[str, Array]], n: int, arrays: Mapping[str, Shaped]
) -> dict[str, Array]:
    """Return response arrays of ``n`` events in single precision from blocks of them, in order."""
    response: dict[str, Array] = {
        name: np.zeros((n, *array.shape), np.float32) for name, array in arrays.items()
    }
    start = 0
    for block in blocks:
        size = len(next(iter(block.values())))
        for name, array in response.items():
            array[start : start + size] = block[name]
        start += size
    return response
