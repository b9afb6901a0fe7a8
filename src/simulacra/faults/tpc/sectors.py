"""Sectors of a TPC's end plates: 18 of 20 degrees each, as ALICE's."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array, IntArray

SECTORS = 18


def sector_of(x: Array, y: Array) -> IntArray:
    """Return the sectors of points at x and y in mm, of one shape, counted from phi = 0."""
    phi = np.arctan2(y.astype(np.float64), x.astype(np.float64))
    sector: IntArray = np.floor(phi / (2 * np.pi) * SECTORS).astype(np.int64) % SECTORS
    return sector
