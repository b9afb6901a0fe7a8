"""The units in which FPD and KPD take features, as JetNet has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray


def over_largest(
    reference: NDArray[np.floating], generated: NDArray[np.floating]
) -> tuple[FloatArray, FloatArray]:
    """Return features (n, f) and (m, f), each over its largest modulus in the reference."""
    largest = np.abs(reference).max(axis=0).astype(np.float64)
    largest[largest == 0] = 1.0
    return reference / largest, generated / largest
