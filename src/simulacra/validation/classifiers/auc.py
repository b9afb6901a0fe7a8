"""What the scores of a classifier say: area under the ROC curve and divergence, with errors."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from simulacra.arrays import BoolArray, FloatArray
from simulacra.validation.metrics.record import UNDEFINED, Estimate

CLIP = 1e-6
"""Closest that a calibrated probability comes to 0 and 1, as in CaloChallenge."""


def auc(scores: FloatArray, generated: BoolArray) -> Estimate:
    """Return the area under the ROC curve and its standard error.

    Args:
        scores: high where the classifier takes an event for generated, (n,).
        generated: which events are, (n,).

    References:
        E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988) 837; in ranks:
        X. Sun, W. Xu, IEEE Signal Processing Letters 21 (2014) 1389.
    """
    a, b = scores[generated], scores[~generated]
    n, m = len(a), len(b)
    if not n or not m:
        return Estimate(UNDEFINED)
    ranks = stats.rankdata(np.concatenate([a, b]))
    above = (ranks[:n] - stats.rankdata(a)) / m
    below = 1 - (ranks[n:] - stats.rankdata(b)) / n
    value = float(above.mean())
    if min(n, m) < 2:
        return Estimate(value)
    variance = float(above.var(ddof=1)) / n + float(below.var(ddof=1)) / m
    return Estimate(value, math.sqrt(variance) or hanley_mcneil(value, n, m))


def hanley_mcneil(value: float, n: int, m: int) -> float:
    """Return the standard error of an AUC from its value and the numbers of events alone.

    For samples that a classifier separates without a mistake, where DeLong's error is 0; the value
    is kept half an event away from 0 and 1.

    References:
        J. A. Hanley, B. J. McNeil, Radiology 143 (1982) 29.
    """
    half = 0.5 / min(n, m)
    a = min(max(value, half), 1 - half)
    q1, q2 = a / (2 - a), 2 * a**2 / (1 + a)
    variance = a * (1 - a) + (n - 1) * (q1 - a**2) + (m - 1) * (q2 - a**2)
    return math.sqrt(variance / (n * m))


def divergence(probability: FloatArray, generated: BoolArray) -> Estimate:
    r"""Return the Jensen-Shannon divergence in bits, from calibrated probabilities (n,).

    :math:`1 + \frac{1}{2} E_{gen} \log_2 p + \frac{1}{2} E_{ref} \log_2 (1 - p)`: 0 for equal, 1
    for disjoint samples, and below 0 by chance where a calibration does not hold.
    """
    p = np.clip(probability, CLIP, 1 - CLIP)
    a, b = np.log2(p[generated]), np.log2(1 - p[~generated])
    if min(len(a), len(b)) < 2:
        return Estimate(UNDEFINED)
    error = math.hypot(a.std(ddof=1) / math.sqrt(len(a)), b.std(ddof=1) / math.sqrt(len(b))) / 2
    return Estimate(1 + float(a.mean() + b.mean()) / 2, error)


def calibrated(
    scores: FloatArray, fitted_scores: FloatArray, fitted_generated: BoolArray
) -> FloatArray:
    """Return probabilities for scores, by isotonic regression on other events."""
    from sklearn.isotonic import IsotonicRegression

    regression = IsotonicRegression(y_min=CLIP, y_max=1 - CLIP, out_of_bounds="clip")
    regression.fit(fitted_scores, fitted_generated.astype(np.float64))
    probability: FloatArray = regression.predict(scores)
    return probability
