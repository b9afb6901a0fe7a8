"""Blocks of consecutive rows that cost about the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from simulacra.arrays import FloatArray


def bounded(costs: FloatArray, most: float) -> Iterator[slice]:
    """Yield the rows of blocks that cost about ``most``; the first do not depend on the last.

    Args:
        costs: of each row (n,).
        most: of a block; a row that costs more is a block by itself.

    Example:
        >>> list(bounded(np.array([1.0, 1.0, 1.0, 5.0, 1.0]), 2.0))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    before = np.cumsum(costs) - costs
    starts = np.flatnonzero(np.diff(np.floor(before / most), prepend=-1.0))
    for first, last in pairwise([*starts.tolist(), len(costs)]):
        yield slice(first, last)
