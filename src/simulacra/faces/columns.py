"""Values of conditions as text: ranges with units, particles with how many there are."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array
from simulacra.columns import Declared
from simulacra.particles import PDG, particle_name
from simulacra.units import format_energy

MOST_VALUES = 12
"""Different values that are named one by one."""
LOOKED_AT = 1000
"""Values at the beginning of a column that show whether there are only a few different ones."""


def column_text(name: str, column: Array, spec: Declared | None) -> str:
    """Return what values a column has: each where they are few, else the range."""
    if not len(column):
        return "no events"
    unit = spec.unit if spec else ""
    labels = name == PDG or (spec is not None and spec.categories is not None)
    few = len(np.unique(column[:LOOKED_AT])) <= MOST_VALUES or len(column) <= LOOKED_AT
    if not few and not labels:
        return range_text(float(column.min()), float(column.max()), unit)
    values, counts = np.unique(column, return_counts=True)
    if labels:
        named = name == PDG and np.all(np.isfinite(values))
        words = [particle_name(int(v)) if named else f"{v:g}" for v in values]
        return ", ".join(f"{word} ({n})" for word, n in zip(words, counts.tolist(), strict=True))
    if len(values) <= MOST_VALUES < len(column):
        return ", ".join(value_text(float(value), unit) for value in values)
    return range_text(float(column.min()), float(column.max()), unit)


def range_text(low: float, high: float, unit: str) -> str:
    """Return a range as text, or the value where it has only one.

    Example:
        >>> range_text(1000.0, 65000.0, "MeV"), range_text(-0.1, 0.1, "rad")
        ('1 GeV to 65 GeV', '-0.1 rad to 0.1 rad')
    """
    if low == high:
        return value_text(low, unit)
    return f"{value_text(low, unit)} to {value_text(high, unit)}"


def value_text(value: float, unit: str) -> str:
    """Return a value with its unit."""
    return format_energy(value) if unit == "MeV" else f"{value:.4g} {unit}".strip()
