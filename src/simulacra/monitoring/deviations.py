"""Deviations of a window from the reference, in standard errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from simulacra.arrays import BoolArray, FloatArray, IntArray

FEWEST = 10
"""Values that a mean needs to be tested."""
CAP = 3.0
"""Normal score that an event counts with at most, so that few events decide no window."""
SYMMETRIC = 1e-4
"""Skewness that is none."""
NO_SCATTER = 1e-6
"""Scatter of sums of events that is rounding."""
LARGEST = 37.0
"""Deviation beyond which a probability is below the smallest number."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Deviations of one kind, which share their errors.

    Attributes:
        quantity: ``occupancy``, ``energy``, ``observables`` …
        statistic: ``number``, ``mean`` or ``width``.
        grouping: ``place``, ``layer`` …; what the deviations are of.
        deviations: in standard errors (groups,); nan where nothing is tested.
    """

    quantity: str
    statistic: str
    grouping: str
    deviations: FloatArray

    @property
    def name(self) -> str:
        """The name of the family."""
        return f"{self.quantity} {self.statistic} by {self.grouping}"


def sums(values: FloatArray, groups: IntArray, number: int) -> FloatArray:
    """Return the sums (number,) of values (n, channels) over their groups; nan counts as 0."""
    index = np.broadcast_to(groups, values.shape).ravel()
    summed = np.bincount(index, weights=np.nan_to_num(values).ravel(), minlength=number)
    return summed.astype(np.float64)


def of_counts(
    observed: FloatArray, expected: FloatArray, most: FloatArray, ratio: float
) -> FloatArray:
    """Return the deviations of numbers of signals from an expectation that is itself measured.

    The test of two Poisson numbers of which the reference is ``ratio`` times as long; where more
    than half of all chances are signals, of the numbers of missing ones.

    Args:
        observed: numbers (groups,).
        expected: likewise, by the reference.
        most: chances (groups,).
        ratio: events of the reference over those of the window.

    References:
        R. D. Cousins, J. T. Linnemann, J. Tucker, Nucl. Instrum. Meth. A 595 (2008) 480.
    """
    missing = expected > most / 2
    k = np.where(missing, most - observed, observed)
    mean = np.where(missing, most - expected, expected)
    share = 1 / (1 + ratio)
    known = np.maximum(mean, 0.0) * ratio
    above = special.betainc(np.maximum(k, 1e-9), known + 1, share)
    below = special.betaincc(k + 1, np.maximum(known, 1e-9), share)
    above = np.where(k <= 0, 1.0, above)
    two_sided = np.minimum(2 * np.minimum(above, below), 1.0)
    size = np.minimum(special.ndtri_exp(np.log(np.maximum(two_sided / 2, 1e-300))) * -1, LARGEST)
    sign = np.where(k > mean, 1.0, -1.0) * np.where(missing, -1.0, 1.0)
    return np.where(most > 0, sign * size, np.nan)


def of_scores(
    scores: FloatArray,
    groups: IntArray,
    number: int,
    in_reference: float,
    third: FloatArray | float = 0.0,
    fourth: FloatArray | float = 2.0,
) -> tuple[FloatArray, FloatArray]:
    """Return the deviations of mean and width of normal scores (n, channels), by group.

    The mean square is taken as a scaled chi2 with the degrees of freedom that its variance has; its
    cube root is nearly normal.

    Args:
        scores: nan where nothing counts.
        groups: (n, channels) or (1, channels).
        number: of groups.
        in_reference: values of the reference over those of the window: its errors count too.
        third: skewness of a score (groups,); 0 for a normal distribution.
        fourth: variance of a squared score (groups,); 2 for a normal distribution.

    References:
        E. B. Wilson, M. M. Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684.
    """
    counted: BoolArray = np.isfinite(scores)
    scores = np.clip(scores, -CAP, CAP)
    m = sums(counted.astype(np.float64), groups, number)
    variance = (1 + 1 / in_reference) / np.maximum(m, 1)
    mean = sums(scores, groups, number) / np.maximum(m, 1)
    square = sums(scores**2, groups, number) / np.maximum(m, 1)
    ninth = fourth * variance / 9
    width = (np.cbrt(square) - (1 - ninth)) / np.sqrt(ninth)
    tested = m >= FEWEST
    return (
        np.where(tested, unskewed(mean / np.sqrt(variance), third * np.sqrt(variance)), np.nan),
        np.where(tested, width, np.nan),
    )


def unskewed(deviations: FloatArray, skewness: FloatArray | float) -> FloatArray:
    """Return standard normal deviations for those (groups,) of a sum with some skewness.

    The sum is taken as a shifted gamma distribution (Pearson's type III).

    References:
        E. B. Wilson, M. M. Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684.
    """
    s = np.where(np.abs(skewness) < SYMMETRIC, SYMMETRIC, skewness)
    root = np.cbrt(np.maximum(1 + s * deviations / 2, 0.0))
    return np.asarray(6 / s * (root - 1) + s / 6)


def of_events(
    values: FloatArray,
    groups: IntArray,
    number: int,
    in_reference: float,
    variance: FloatArray,
    third: FloatArray,
) -> FloatArray:
    """Return the deviations from zero of sums over groups of several channels of an event.

    Channels of an event are correlated: the error comes from the scatter of the events' own sums
    in the reference. The scatter in the window itself would make a small window's deviations
    those of Student's t, with long tails where sums are skewed.

    Args:
        values: expected to be zero on average (n, channels); nan where nothing counts.
        groups: (n, channels) or (1, channels).
        number: of groups.
        in_reference: events of the reference over those of the window: its errors count too.
        variance: of an event's sum, as the reference predicts it (n, groups).
        third: likewise its third moment (n, groups).
    """
    total, has = event_sums(values, groups, number)
    expected = np.where(has, variance, 0.0).sum(axis=0)
    error = np.sqrt(np.maximum(expected, NO_SCATTER**2))
    skewness = np.where(has, third, 0.0).sum(axis=0) / error**3
    size = total.sum(axis=0) / error / math.sqrt(1 + 1 / in_reference)
    size = np.clip(unskewed(size, skewness), -LARGEST, LARGEST)
    return np.where(has.sum(axis=0) >= FEWEST, size, np.nan)


def event_sums(values: FloatArray, groups: IntArray, number: int) -> tuple[FloatArray, BoolArray]:
    """Return the sum of each event and group (n, number), and whether anything counts in it."""
    n = len(values)
    event = np.arange(n)[:, None] * number + groups
    counted = sums(np.isfinite(values).astype(np.float64), event, n * number)
    total = sums(values, event, n * number).reshape(n, number)
    return total, counted.reshape(n, number) > 0
