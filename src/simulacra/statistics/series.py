"""Random numbers of long samples: each series of events has a seed of its own.

A machine that generates the last of ten million events need not draw those before. The first series
has the seed of the sample itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SERIES = 8192
"""Events of a series: fixed, so that a seed gives the same events for any total number."""


def series(n: int, seed: int) -> Iterator[tuple[slice, int]]:
    """Yield the rows and the seed of each series of ``n`` events; none where there are no events.

    Example:
        >>> [rows for rows, _ in series(10_000, 3)]
        [slice(0, 8192, None), slice(8192, 10000, None)]
    """
    for number, start in enumerate(range(0, n, SERIES)):
        yield slice(start, min(start + SERIES, n)), seed_of(seed, number)


def seed_of(seed: int, number: int) -> int:
    """Return the seed of a series by its number: that of the sample for the first one.

    Returns:
        An integer of 63 bits, which all generators take.
    """
    if number == 0:
        return seed
    drawn = np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1, np.uint64)
    return int(drawn[0] >> np.uint64(1))
