"""Tables of named columns, as files of others hold them: TTrees, RNTuples, groups of arrays.

A row is an event, a particle or a hit; which one, the mapping of columns tells
(:mod:`simulacra.io.mapped.mapping`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulacra.arrays import Array, IntArray
from simulacra.errors import EventsError
from simulacra.units import parse_quantity

LISTED = 20
"""How many names a message lists before it counts the rest."""
DIMENSIONS = ("energy", "length", "angle")
"""What columns of events can be measured in."""
_BRACKETS = re.compile(r"[\[(]\s*([A-Za-z]+)\s*[\])]")
_WORD = re.compile(r"\bin ([A-Za-z]+)\b")
_SUFFIX = re.compile(r"_([A-Za-z]+)$")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The numbers of one column.

    Attributes:
        values: (rows, ...); where rows hold different numbers of values, all of them, one row after
            another.
        counts: how many values each row holds (rows,); None where ``values`` has an axis of rows.
    """

    values: Array
    counts: IntArray | None = None

    @property
    def flat(self) -> bool:
        """Whether each row is one number and not a list, be it of one."""
        return self.counts is None and self.values.ndim == 1

    def single(self, name: str) -> Array:
        """Return one number a row (rows,).

        Raises:
            EventsError: a row holds another number of values.
        """
        if self.counts is not None and not np.all(self.counts == 1):
            msg = (
                f"{name} holds {self.counts.min()} to {self.counts.max()} numbers a row, "
                "where one is needed"
            )
            raise EventsError(msg)
        if self.counts is None and self.values[:1].size > 1:
            msg = f"{name} holds {self.values.shape[1:]} numbers a row, where one is needed"
            raise EventsError(msg)
        return self.values.reshape(-1)

    def regular(self, name: str) -> Array:
        """Return an array with an axis of rows, and as many numbers in each (rows, ...).

        Raises:
            EventsError: rows differ in length.
        """
        if self.counts is None:
            return self.values
        if not len(self.counts):
            return self.values.reshape(0, 0)
        low, high = int(self.counts.min()), int(self.counts.max())
        if low != high:
            msg = (
                f"{name} holds {low} to {high} numbers a row: rows of different lengths are not "
                "all the cells; hits need cell numbers too (cell_id)"
            )
            raise EventsError(msg)
        return self.values.reshape(-1, low)

    def lists(self) -> tuple[Array, IntArray]:
        """Return all numbers, row after row, and how many each row holds (rows,)."""
        if self.counts is not None:
            return self.values, self.counts
        rows = len(self.values)
        length = self.values[:1].size if rows else 0
        return self.values.reshape(-1), np.full(rows, length, np.int64)


class Table(Protocol):
    """A table of a file."""

    @property
    def name(self) -> str:
        """Its name, with the folders it lies in."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def read(self, column: str, rows: slice = slice(None)) -> Column:
        """Return rows of a column, which must hold numbers."""

    def unit(self, column: str) -> str | None:
        """Return the unit that the file states for a column."""

    def companions(self, column: str) -> tuple[str, ...]:
        """Return the columns that only say how long this one is."""


def scale_of(unit: str, dimension: str) -> float:
    """Return what a number in ``unit`` is multiplied with to be in the unit used in memory.

    Raises:
        ValueError: the unit is not one of that dimension.

    Example:
        >>> scale_of("GeV", "energy")
        1000.0
    """
    return parse_quantity(f"1{unit}", dimension)


def is_unit(text: str) -> bool:
    """Return whether a text is a unit that columns can have."""
    for dimension in DIMENSIONS:
        try:
            scale_of(text, dimension)
        except ValueError:
            continue
        return True
    return False


def stated_unit(name: str, title: str, others: Iterable[str] = ()) -> str | None:
    """Return the unit that a column's name or title states: ``energy [GeV]``, ``edep_MeV``.

    Args:
        name: of the column.
        title: what the file says of it; ROOT's lists of leaves (``edep[n]/F``) are no units.
        others: names of columns, which stand in such brackets too.

    Example:
        >>> stated_unit("edep", "energy of the hit [GeV]"), stated_unit("edep", "edep[m]/F", "m")
        ('GeV', None)
    """
    known = set(others)
    texts = (name, re.sub(r"/[A-Za-z]$", "", title))
    for pattern in (_BRACKETS, _WORD):
        for text in texts:
            for unit in pattern.findall(text):
                if unit not in known and is_unit(unit):
                    return str(unit)
    suffix = _SUFFIX.search(name)  # a single letter there is an index or an initial, not metres
    if suffix and len(suffix[1]) > 1 and is_unit(suffix[1]):
        return suffix[1]
    return None


def listed(names: Iterable[str]) -> str:
    """Return names as text, a bounded number of them."""
    every = list(names)
    if not every:
        return "none"
    more = f" … and {len(every) - LISTED} more" if len(every) > LISTED else ""
    return ", ".join(every[:LISTED]) + more


def describe(tables: Mapping[str, Table]) -> str:
    """Return the tables and their columns as text for a message, a bounded number of them."""
    if not tables:
        return "there are no trees"
    shown = list(tables.items())[:4]
    texts = [f"{name} has {listed(table.columns)}" for name, table in shown]
    if len(tables) > len(shown):
        texts.append(f"and there are {len(tables) - len(shown)} more trees")
    return "; ".join(texts)
