"""Numbers that responses are drawn from."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import FloatArray


def log_normal(mean: FloatArray, sigma: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return numbers (n,) of log-normal distributions of these means and standard deviations.

    As in Delphes (``LogNormal`` of its modules): never negative, and the mean is kept. Where the
    mean is 0, so is the number.
    """
    positive = np.where(mean > 0, mean, 1.0)
    width = np.sqrt(np.log1p((sigma / positive) ** 2))
    drawn = np.exp(np.log(positive) - width**2 / 2 + width * rng.standard_normal(len(mean)))
    return np.where(mean > 0, drawn, 0.0)
