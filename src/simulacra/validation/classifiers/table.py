"""Tables of features: what sample metrics and classifiers take, (n, features) in float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray

Table = NDArray[np.float32]

SMALLEST_LOG = 1e-8
"""Added to energies (MeV) before a logarithm."""


def table_of(*parts: NDArray[np.floating]) -> Table:
    """Return the columns of all parts, each (n, columns)."""
    return np.concatenate([part.astype(np.float32) for part in parts], axis=1)


def log_energy(energy: FloatArray) -> FloatArray:
    """Return log10(E + 1e-8 MeV), CaloChallenge's logarithm."""
    result: FloatArray = np.log10(np.maximum(energy, 0.0) + SMALLEST_LOG)
    return result
