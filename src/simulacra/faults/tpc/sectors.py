"""Sectors of a TPC's end plates: 18 of 20 degrees each, as ALICE's."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array, IntArray

SECTORS = 18


def sector_of(clusters: Array) -> IntArray:
    """Return the sector (n, rows) of clusters (n, rows, 5), counted from phi = 0."""
    phi = np.arctan2(clusters[..., 1].astype(np.float64), clusters[..., 0].astype(np.float64))
    sector: IntArray = np.floor(phi / (2 * np.pi) * SECTORS).astype(np.int64) % SECTORS
    return sector
