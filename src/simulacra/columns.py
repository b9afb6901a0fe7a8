"""Whether condition columns are what a detector declares; a module that costs nothing to load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from simulacra.arrays import Array, BoolArray
from simulacra.errors import EventsError

ROUNDING = 1e-4
"""Part of a limit by which single precision may miss it."""
EVEN = 1e-2
"""Part of a linear range by which values that were drawn evenly may miss its edges."""


class Declared(Protocol):
    """What is known of a condition: how it enters networks, and what values it can have."""

    @property
    def role(self) -> str:
        """``log``, ``linear``, ``cyclic`` or ``categorical``."""

    @property
    def unit(self) -> str:
        """Its unit, for messages."""

    @property
    def categories(self) -> tuple[int, ...] | None:
        """The values of a categorical condition."""


def check_columns(columns: Mapping[str, Array], declared: Mapping[str, Declared]) -> None:
    """Raise an :class:`EventsError` unless every declared column is there and sensible."""
    for name, spec in declared.items():
        if name not in columns:
            msg = f"no condition {name!r} among {', '.join(columns)}"
            raise EventsError(msg)
        column = columns[name]
        if not np.all(np.isfinite(column)):
            msg = f"condition {name!r} holds values that are not finite"
            raise EventsError(msg)
        if spec.role == "log" and np.any(column <= 0):
            msg = f"condition {name!r} must be positive, got {column.min():g} {spec.unit}"
            raise EventsError(msg)
        if spec.categories is not None and not _all_among(column, spec.categories):
            msg = f"condition {name!r} must be one of {spec.categories}"
            raise EventsError(msg)


def _all_among(column: Array, categories: tuple[int, ...]) -> bool:
    """Return whether every value is one of a few; for single events quicker than numpy.isin."""
    return bool((column[:, None] == np.array(categories)).any(axis=1).all())


def outside_ranges(
    columns: Mapping[str, Array],
    ranges: Mapping[str, tuple[float, float]],
    declared: Mapping[str, Declared],
) -> BoolArray:
    """Return which rows lie outside the lowest and highest value of a column (n,).

    A ten-thousandth of each limit is allowed for rounding. Values that were drawn evenly end a
    little before the edge of what they were drawn from: a linear or cyclic column may lie beyond by
    a hundredth of its range. Angles are the same after a whole turn.
    """
    outside = np.zeros(len(next(iter(columns.values()))), dtype=bool)
    for name, (low, high) in ranges.items():
        even = EVEN * (high - low) if declared[name].role in ("linear", "cyclic") else 0.0
        if declared[name].role == "cyclic":
            beyond = np.mod(columns[name].astype(np.float64) - low + even, 2 * np.pi)
            outside |= beyond > high - low + 2 * even + ROUNDING
            continue
        outside |= columns[name] < low - ROUNDING * abs(low) - even
        outside |= columns[name] > high + ROUNDING * abs(high) + even
    return outside


def outside_own_range(
    scale: Array, particle: Array, own: Mapping[int, tuple[float, float]]
) -> BoolArray:
    """Return which values (n,) lie outside the range that their own particle had in training.

    Args:
        scale: energies or transverse momenta, MeV.
        particle: PDG ids.
        own: lowest and highest value of the particles whose range is not that of all.
    """
    outside = np.zeros(len(scale), dtype=bool)
    for pdg, (low, high) in own.items():
        beyond = (scale < low * (1 - ROUNDING)) | (scale > high * (1 + ROUNDING))
        outside |= beyond & (particle == pdg)
    return outside
