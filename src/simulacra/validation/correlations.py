"""How far the linear correlations between features are off."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray
from simulacra.validation.metrics import Estimate


def correlation_matrix(x: NDArray[np.floating]) -> FloatArray:
    """Return Pearson's coefficients (f, f) of features (n, f); a constant correlates with none."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    width = np.sqrt(np.mean(centred**2, axis=0))
    # rounding leaves a constant with a width of its last digit
    constant = width <= 1e-6 * np.abs(x).max(axis=0)
    scaled = centred / np.where(constant, 1.0, width)
    scaled[:, constant] = 0.0
    result: FloatArray = scaled.T @ scaled / len(x)
    return result


def largest_correlation_difference(
    reference: NDArray[np.floating], generated: NDArray[np.floating], _: object = None
) -> tuple[Estimate]:
    """Return the largest difference of Pearson's coefficients between two features.

    The error is that of this pair, (1 - r^2) / sqrt(n) of either sample; that it is the largest of
    many pairs, which chance alone makes large, the floor shows.
    """
    if min(len(reference), len(generated)) < 3 or reference.shape[1] < 2:
        return (Estimate(math.nan),)
    first, second = correlation_matrix(reference), correlation_matrix(generated)
    difference = np.abs(first - second)
    np.fill_diagonal(difference, 0.0)
    pair = np.unravel_index(np.argmax(difference), difference.shape)
    error = math.hypot(
        (1 - first[pair] ** 2) / math.sqrt(len(reference)),
        (1 - second[pair] ** 2) / math.sqrt(len(generated)),
    )
    return (Estimate(float(difference[pair]), error),)
