"""Events in blocks of bounded size, whose random numbers do not depend on later events."""

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
    """
    before = np.cumsum(costs) - costs
    starts = np.flatnonzero(np.diff(np.floor(before / most), prepend=-1.0))
    for first, last in pairwise([*starts.tolist(), len(costs)]):
        yield slice(first, last)


def streams(seed: int, block: int, n: int) -> tuple[np.random.Generator, ...]:
    """Return ``n`` independent generators of a block.

    Each quantity that is drawn for event after event has its own: the numbers of the first events
    are then the same whatever comes after them.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(block,))
    return tuple(np.random.Generator(np.random.SFC64(child)) for child in sequence.spawn(n))
