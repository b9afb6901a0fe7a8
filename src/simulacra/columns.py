"""Whether condition columns are what a detector declares; a module that costs nothing to load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, Protocol

import numpy as np

from simulacra.arrays import Array, BoolArray
from simulacra.errors import EventsError, SimulatorError

ROUNDING = 1e-4
"""Part of a limit by which single precision may miss it."""
EVEN = 1e-2
"""Part of a linear range by which values that were drawn evenly may miss its edges."""


FAR_FACTOR = 2.0
"""Factor beyond a limit of a positive condition at which a simulator is far outside of training."""
FAR_PART = 0.25
"""The same for a linear or cyclic one, as a part of its range: of values that were drawn from a
Gaussian hardly one in a hundred thousand lies so far beyond those that were seen."""
LARGEST, SMALLEST = np.finfo(np.float32).max, np.finfo(np.float32).tiny
"""Ends of single precision, in which networks take conditions."""


ALL = 0
"""Stands for all particles where categories are recorded; no particle has that PDG id."""


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
        if not np.all(np.abs(column) <= LARGEST):
            _refuse_large(name, column, spec)
        if spec.role == "log" and np.any(column < SMALLEST):
            _refuse_small(name, column, spec)
        if spec.categories is not None and not _all_among(column, spec.categories):
            msg = f"condition {name!r} must be one of {spec.categories}"
            raise EventsError(msg)


def _refuse_large(name: str, column: Array, spec: Declared) -> NoReturn:
    if not np.all(np.isfinite(column)):
        msg = f"condition {name!r} holds values that are not finite"
    else:
        largest = np.abs(column).max()
        msg = f"condition {name!r} holds {largest:g} {spec.unit}, beyond single precision"
    raise EventsError(msg)


def _refuse_small(name: str, column: Array, spec: Declared) -> NoReturn:
    smallest = column.min()
    msg = f"condition {name!r} must be positive, got {smallest:g} {spec.unit}"
    if smallest > 0:
        msg = f"condition {name!r} holds {smallest:g} {spec.unit}, below single precision"
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
        role = declared[name].role
        even = EVEN * (high - low) if role in ("linear", "cyclic") else 0.0
        outside |= _beyond(columns[name], low, high, even, turns=role == "cyclic")
    return outside


def far_outside(column: Array, limits: tuple[float, float], role: str) -> BoolArray:
    """Return which values (n,) lie far outside the lowest and highest value in training.

    Of a positive condition (``log``) those beyond a limit by more than the factor
    :data:`FAR_FACTOR`, of others those beyond by more than the part :data:`FAR_PART` of the range.
    """
    low, high = limits
    if role == "log":
        return _beyond(column, low / FAR_FACTOR, high * FAR_FACTOR, 0.0, turns=False)
    return _beyond(column, low, high, FAR_PART * (high - low), turns=role == "cyclic")


def require_near(name: str, column: Array, limits: tuple[float, float], spec: Declared) -> None:
    """Raise a :class:`SimulatorError` where values lie :func:`far_outside` of the trained range.

    Args:
        name: of the condition, for the message.
        column: its values (n,).
        limits: lowest and highest value in training.
        spec: how it is declared.
    """
    far = column[far_outside(column, limits, spec.role)]
    if not len(far):
        return
    low, high = (f"{limit:g} {spec.unit}".strip() for limit in limits)
    msg = (
        f"{name}: {len(far)} events, such as one of {far[0]:g}, are far outside the trained range, "
        f"{low} to {high}: --extrapolate (extrapolate=True in Python) generates them all the same"
    )
    raise SimulatorError(msg)


def _beyond(column: Array, low: float, high: float, margin: float, *, turns: bool) -> BoolArray:
    """Return which values lie beyond limits by more than a margin and rounding."""
    if turns:
        beyond = np.mod(column.astype(np.float64) - low + margin, 2 * np.pi)
        past: BoolArray = beyond > high - low + 2 * margin + ROUNDING
        return past
    below: BoolArray = column < low - ROUNDING * abs(low) - margin
    return below | (column > high + ROUNDING * abs(high) + margin)


def outside_seen(
    columns: Mapping[str, Array],
    particle: Array | None,
    seen: Mapping[int, Mapping[str, tuple[int, ...]]],
) -> BoolArray:
    """Return which rows have a value of a category that their particle had not in training (n,).

    Args:
        columns: the conditions.
        particle: PDG ids (n,), where there are several.
        seen: values by condition; by PDG id, or for all particles (:data:`ALL`).
    """
    outside = np.zeros(len(next(iter(columns.values()))), dtype=bool)
    for pdg, categories in seen.items():
        for name, values in categories.items():
            unseen = ~np.isin(columns[name], values)
            outside |= unseen if pdg == ALL else unseen & (particle == pdg)
    return outside


def outside_own_ranges(
    columns: Mapping[str, Array],
    particle: Array,
    own: Mapping[int, Mapping[str, tuple[float, float]]],
    declared: Mapping[str, Declared],
) -> BoolArray:
    """Return which rows lie outside the ranges that their own particle had in training (n,).

    Args:
        columns: the conditions.
        particle: PDG ids (n,).
        own: by PDG id, the ranges of the particles that had less than all of a condition.
        declared: what is known of the conditions.
    """
    outside = np.zeros(len(particle), dtype=bool)
    for pdg, ranges in own.items():
        outside |= outside_ranges(columns, ranges, declared) & (particle == pdg)
    return outside


def outside_training(
    columns: Mapping[str, Array],
    particle: Array | None,
    ranges: Mapping[str, tuple[float, float]],
    own: Mapping[int, Mapping[str, tuple[float, float]]],
    seen: Mapping[int, Mapping[str, tuple[int, ...]]],
    declared: Mapping[str, Declared],
) -> BoolArray:
    """Return which rows lie outside of a training (n,): of the ranges, or of what was seen.

    Args:
        columns: the conditions.
        particle: PDG ids (n,), where there are several.
        ranges: lowest and highest value of each numerical condition.
        own: as for :func:`outside_own_ranges`.
        seen: as for :func:`outside_seen`.
        declared: what is known of the conditions.
    """
    outside = outside_ranges(columns, ranges, declared) | outside_seen(columns, particle, seen)
    if particle is None:
        return outside
    return outside | outside_own_ranges(columns, particle, own, declared)
