"""Numbers of others in our units, and in types that hold them."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError
from simulacra.io.mapped.tables import scale_of


def floating(values: Array) -> Array:
    """Return numbers as floating ones, in which neither sums nor factors wrap."""
    wide = values.dtype.kind == "f" and values.dtype.itemsize >= 4
    small = values.dtype == np.float16
    return values if wide else values.astype(np.float32 if small else np.float64)


def scaled(values: Array, factor: float) -> Array:
    """Return values times a factor, in single precision where they were."""
    if factor == 1.0:
        return values
    return (values.astype(np.float64, copy=False) * factor).astype(values.dtype, copy=False)


def scale_stated(name: str, unit: str, dimension: str) -> float:
    """Return what numbers in a stated unit are multiplied with to be in ours.

    Raises:
        EventsError: it is the unit of something else.
    """
    try:
        return scale_of(unit, dimension)
    except ValueError:
        msg = f"{name} is stated in {unit}, which is no {dimension}; give its unit (--map)"
        raise EventsError(msg) from None
