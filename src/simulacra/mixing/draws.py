"""Which events of a library are added to which event: a few numbers, from a seed alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import IntArray
from simulacra.errors import EventsError

BLOCK = 1024
"""Events whose random numbers come from one generator: draws do not depend on other blocks."""
STREAM = 12
"""Of a seed, the stream that the library's events are drawn from."""
LARGEST_MEAN = 1e5
"""Most events of a library that one event may get on average."""


@dataclass(frozen=True, slots=True)
class Law:
    """How many events of a library an event gets, and which.

    Attributes:
        mean: of a Poisson distribution; None: exactly ``number``.
        number: how many, where there is no mean.
        seed: the source of all random numbers.
    """

    mean: float | None
    number: int
    seed: int

    @classmethod
    def of(cls, mean: float | None, number: int | None, seed: int) -> Law:
        """Return the law of one of both, ``mean`` or ``number``.

        Raises:
            EventsError: both or none are given, or one makes no sense.
        """
        if (mean is None) == (number is None):
            msg = "give either the mean of a Poisson distribution (mean) or a fixed number (number)"
            raise EventsError(msg)
        given = number if mean is None else mean
        assert given is not None
        if not 0 <= given <= LARGEST_MEAN or not math.isfinite(given):
            msg = f"{given:g} events of the library per event: give 0 to {LARGEST_MEAN:g}"
            raise EventsError(msg)
        return cls(mean, number or 0, seed)

    @property
    def adds_nothing(self) -> bool:
        """Whether no event gets anything."""
        return (self.number if self.mean is None else self.mean) == 0

    def drawn(self, rows: slice, size: int) -> Draws:
        """Return what the events ``rows`` (from, to) get of a library of ``size`` events."""
        parts = []
        for first, counts, rng in self._blocks(rows):
            picked = rng.integers(size, size=int(counts.sum()))
            parts.append((np.repeat(first + np.arange(len(counts)), counts), picked))
        nothing = np.zeros(0, np.int64)
        event = np.concatenate([nothing, *(part[0] for part in parts)])
        row = np.concatenate([nothing, *(part[1] for part in parts)])
        kept = (event >= rows.start) & (event < rows.stop)
        event, row = event[kept] - rows.start, row[kept]
        order = np.lexsort((row, event))
        return Draws(event[order], row[order], rows.stop - rows.start, size)

    def total(self, n: int) -> int:
        """Return how many events of a library ``n`` events get together."""
        return sum(int(counts[: n - first].sum()) for first, counts, _ in self._blocks(slice(0, n)))

    def _blocks(self, rows: slice) -> Iterator[tuple[int, IntArray, np.random.Generator]]:
        """Yield first event, numbers and generator of each block that has some of the events."""
        for block in range(rows.start // BLOCK, -(-rows.stop // BLOCK)):
            key = STREAM, block
            rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
            counts = (
                np.full(BLOCK, self.number)
                if self.mean is None
                else rng.poisson(self.mean, BLOCK).astype(np.int64)
            )
            yield block * BLOCK, counts, rng


@dataclass(frozen=True, slots=True)
class Draws:
    """Events of a library and the events that they are added to, ordered by both.

    Attributes:
        event: the event (m,).
        row: the row of the library (m,); one may occur more than once.
        events: how many events there are.
        size: how many events the library has.
    """

    event: IntArray
    row: IntArray
    events: int
    size: int

    def __len__(self) -> int:
        return len(self.event)

    @property
    def counts(self) -> IntArray:
        """How many each event gets (events,)."""
        return np.bincount(self.event, minlength=self.events)
