"""Deviations of a window from the reference, in standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from simulacra.arrays import BoolArray, FloatArray, IntArray

FEWEST = 10
"""Values that a mean needs to be tested."""
CAP = 3.0
"""Normal score that an event counts with at most, so that few events decide no window."""
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
    return np.bincount(index, weights=np.nan_to_num(values).ravel(), minlength=number)


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
    scores: FloatArray, groups: IntArray, number: int, in_reference: float
) -> tuple[FloatArray, FloatArray]:
    """Return the deviations of mean and width of normal scores (n, channels), by group.

    Args:
        scores: nan where nothing counts.
        groups: (n, channels) or (1, channels).
        number: of groups.
        in_reference: values of the reference over those of the window: its errors count too.
    """
    counted: BoolArray = np.isfinite(scores)
    scores = np.clip(scores, -CAP, CAP)
    m = sums(counted.astype(np.float64), groups, number)
    error = np.sqrt((1 + 1 / in_reference) / np.maximum(m, 1))
    mean = sums(scores, groups, number) / np.maximum(m, 1)
    square = sums(scores**2, groups, number) / np.maximum(m, 1)
    tested = m >= FEWEST
    width = (square - 1) / (error * np.sqrt(2))
    return np.where(tested, mean / error, np.nan), np.where(tested, width, np.nan)
