"""Rows of hits and rows of particles become events, by an event number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulacra.arrays import Array, BoolArray, IntArray
from simulacra.errors import EventsError
from simulacra.io.mapped.cell_map import as_ids, distinct_rows
from simulacra.io.mapped.mapping import SCATTERED, Place


@dataclass(frozen=True)
class Keys:
    """The event numbers of a table's rows.

    Attributes:
        place: the columns they come from; several make one number, such as run and event.
        numbers: (rows, columns).
    """

    place: Place
    numbers: IntArray

    @classmethod
    def read(cls, place: Place) -> Keys:
        """Read the event numbers of all rows."""
        columns = [
            as_ids(f"{place.table.name}/{name}", place.table.read(name).single(name))
            for name in place.columns
        ]
        return cls(place, np.stack(columns, axis=1))

    def text(self, row: int) -> str:
        """Return a row's event number for a message."""
        return ",".join(str(number) for number in self.numbers[row])

    @cached_property
    def order(self) -> tuple[IntArray, IntArray]:
        """The first row of each event, and for each row its event, in order of appearance."""
        _, inverse = distinct_rows(self.numbers)
        _, first = np.unique(inverse, return_index=True)
        ranks = np.argsort(np.argsort(first))
        return np.sort(first), ranks[inverse]

    def require_unique(self) -> None:
        """Raise an :class:`EventsError` where an event number occurs twice."""
        first, event = self.order
        twice = len(self.numbers) - len(first)
        if twice:
            row = int(np.flatnonzero(np.bincount(event) > 1)[0])
            msg = (
                f"{self.place}: {twice} rows repeat an event number, such as "
                f"{self.text(first[row])}: several particles an event, or several runs in one "
                f"file (then give the run too: --map event=RUN,{self.place.columns[-1]})"
            )
            raise EventsError(msg)

    def require_together(self) -> None:
        """Raise an :class:`EventsError` where the rows of an event do not lie together.

        Files of several runs that were joined look so: each number is then that of several events.
        """
        _, event = self.order
        begins = np.flatnonzero(np.diff(event, prepend=-1) != 0)
        apart = len(begins) - (int(event.max()) + 1 if len(event) else 0)
        if apart and self.place.unit != SCATTERED:
            counts = np.bincount(event[begins])
            row = int(np.flatnonzero(event == int(np.argmax(counts > 1)))[0])
            msg = (
                f"{self.place}: the rows of {int((counts > 1).sum())} events lie apart, such as of "
                f"event {self.text(row)}. Several runs in one file? Give the run too (--map "
                f"event=RUN,{self.place.columns[-1]}). If threads mixed the rows of one run, say "
                f"so: --map event={','.join(self.place.columns)}:{SCATTERED}"
            )
            raise EventsError(msg)

    def missing_between(self) -> int:
        """Return how many event numbers between the lowest and the highest have no row."""
        if self.numbers.shape[1] != 1 or not len(self.numbers):
            return 0
        first, _ = self.order
        numbers = self.numbers[:, 0]
        return int(numbers.max()) - int(numbers.min()) + 1 - len(first)


def events_of_hits(hits: Keys, truth: Keys) -> IntArray:
    """Return for each row of hits the row of the truth with its event number (hits,).

    Raises:
        EventsError: the truth has a number twice, or hits have one that it has not.
    """
    if hits.numbers.shape[1] != truth.numbers.shape[1]:
        msg = f"event numbers of {hits.place} and {truth.place} do not compare"
        raise EventsError(msg)
    truth.require_unique()
    n = len(truth.numbers)
    _, codes = distinct_rows(np.concatenate([truth.numbers, hits.numbers]))
    rows = np.full(int(codes.max(initial=-1)) + 1, -1, np.int64)
    rows[codes[:n]] = np.arange(n)
    found: IntArray = rows[codes[n:]]
    lost = np.flatnonzero(found < 0)
    if len(lost):
        events = len(np.unique(codes[n:][lost]))
        msg = (
            f"{len(lost)} of {len(found)} rows of {hits.place.table.name} are of {events} events "
            f"that {truth.place.table.name} has not, such as event {hits.text(int(lost[0]))}"
        )
        raise EventsError(msg)
    return found


def first_of_each(name: str, values: Array, keys: Keys) -> Array:
    """Return a column's value for each event; rows of hits repeat what belongs to their event.

    Raises:
        EventsError: it is not the same in all rows of an event.
    """
    first, event = keys.order
    own = values[first]
    differs: BoolArray = values != own[event]
    if np.any(differs):
        events = np.unique(event[differs])
        msg = (
            f"{name} is not the same in all rows of {len(events)} events, such as event "
            f"{keys.text(int(first[events[0]]))}: is {','.join(keys.place.columns)} the event "
            "number, or are there several runs in one file (--map event=RUN,EVENT)?"
        )
        raise EventsError(msg)
    return own
