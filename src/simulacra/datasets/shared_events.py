"""Events that occur twice: in one sample, or in two that should be independent.

Two jobs with the same seed give the same events, and so do copies of a file. An event is known by a
digest of its response, in single precision as files hold it: showers and tracks are numbers with
many digits, so that two events agree in all of them only where they are the same. An event with
next to no numbers (a particle that left nothing) tells nothing and is never counted.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.events import Events, EventSource, pieces

FEWEST_NUMBERS = 3
"""Numbers other than zero that an event must have for it to be known again."""
Digests = NDArray[np.uint64]
"""One number for each event that can be known again: 64 bits of its digest."""


def digests_of(source: EventSource) -> Digests:
    """Return the digests of the events that can be known again, in their order.

    Args:
        source: events in memory or in a file, which is gone through piece by piece.
    """
    found = [event_digests(piece) for _, piece in pieces(source)]
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def event_digests(events: Events) -> Digests:
    """Return the digests of the events of a piece that can be known again, in their order."""
    rows = [_rows(events.response[name]) for name in sorted(events.response)]
    numbers = np.sum([np.count_nonzero(array, axis=1) for array in rows], axis=0)
    known = np.flatnonzero(numbers >= FEWEST_NUMBERS)
    return np.fromiter((_digest([array[i] for array in rows]) for i in known), np.uint64)


def repeated(digests: Digests) -> int:
    """Return how many events of a sample occur in it before.

    Example:
        >>> repeated(np.array([3, 5, 3, 3], np.uint64))
        2
    """
    return len(digests) - len(np.unique(digests))


def shared(digests: Digests, others: Digests) -> int:
    """Return how many events of a sample are in another one, too.

    Example:
        >>> shared(np.array([3, 5, 3], np.uint64), np.array([3, 4], np.uint64))
        2
    """
    return int(np.isin(digests, others).sum())


def _rows(array: NDArray[Any]) -> NDArray[np.float32]:
    """Return the numbers of each event (n, numbers) in single precision, with one kind of zero."""
    with np.errstate(over="ignore"):  # what single precision does not hold is told elsewhere
        single = array.astype(np.float32).reshape(len(array), -1) + np.float32(0)
    return np.ascontiguousarray(single)


def _digest(parts: list[NDArray[np.float32]]) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part.data)
    return int.from_bytes(digest.digest(), "little")
