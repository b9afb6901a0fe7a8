"""What single precision cannot tell apart: constants with rounding on them, equal energies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import Array, BoolArray

ROUNDING = 4e-7
"""Relative difference that is rounding: files hold single precision (6e-8), and converting units or
summing cells costs a few of its last digits."""

NOTHING = 1e-12
"""Modulus below which values are the rounding of zero, in any unit of the observables."""


def is_constant(values: NDArray[np.floating]) -> BoolArray:
    """Return whether columns of values (n, ...) are the same in all rows up to rounding.

    A column counts as constant where its standard deviation is at most ``ROUNDING`` of its largest
    modulus, or where all values are below ``NOTHING``. Values that are nan do not count; a column
    without any value is constant.

    Returns:
        One truth value for each column; of shape () for a single column (n,).
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0).astype(np.float64)
    number = np.maximum(known.sum(axis=0), 1)
    largest = np.abs(filled).max(axis=0, initial=0.0)
    with np.errstate(invalid="ignore"):  # what is infinite varies
        part = filled / np.where(largest > 0, largest, 1.0)
        away = np.where(known, part - part.sum(axis=0) / number, 0.0)
        constant: BoolArray = np.asarray((away**2).sum(axis=0) / number <= ROUNDING**2)
    constant |= np.asarray(largest <= NOTHING)
    return constant


def distinct_points(values: Array, most: int) -> Array:
    """Return the distinct values (n,), ascending, that differ by more than rounding.

    An empty array stands for more than ``most`` of them. Values are positive.
    """
    ordered = np.unique(values)
    points: list[int] = []
    place = 0
    while place < len(ordered):
        if len(points) == most:
            return ordered[:0]
        points.append(place)
        end = float(ordered[place]) * (1 + ROUNDING)
        place = int(np.searchsorted(ordered, end, side="right"))
    return ordered[points]


def without_rounding(column: Array) -> Array:
    """Return values (n,) of which those that differ by rounding alone are equal."""
    order = np.argsort(column, kind="stable")
    ordered = column[order]
    steps = np.diff(ordered.astype(np.float64)) > ROUNDING * np.abs(ordered[1:])
    first = np.flatnonzero(np.concatenate([[True], steps])) if len(column) else np.arange(0)
    group = np.concatenate([[0], np.cumsum(steps)])[: len(column)]
    result = np.empty_like(column)
    result[order] = ordered[first[group]]
    return result
