"""Whether the conditions of a window are those of the reference."""

from __future__ import annotations

import numpy as np
from scipy import stats

from simulacra.arrays import Array
from simulacra.events import Events
from simulacra.statistics.rounding import distinct_points

CHANGED = 1e-5
"""Probability below which a condition counts as changed."""
MOST_POINTS = 32
FEWEST = 5
"""Expected events of a category that are compared."""


def changed_conditions(reference: Events, window: Events) -> tuple[str, ...]:
    """Return the names of conditions whose distributions differ from the reference's.

    Categories and single values are compared by a chi2 test, others by that of Kolmogorov and
    Smirnov.
    """
    found = []
    for name in reference.detector.conditions:
        a, b = (np.asarray(e.conditions[name], np.float32) for e in (reference, window))
        if _probability(a, b) < CHANGED:
            found.append(name)
    return tuple(found)


def _probability(a: Array, b: Array) -> float:
    both = np.concatenate([a, b])
    if not both.min() > 0 or not len(points := distinct_points(both, MOST_POINTS)):
        points = np.unique(both)
    if len(points) == 1:
        return 1.0
    if len(points) > MOST_POINTS:
        return float(stats.ks_2samp(a, b, method="asymp").pvalue)
    counts = np.stack([_counts(x, points) for x in (a, b)])
    expected = counts.sum(axis=0) * min(len(a), len(b)) / len(both)
    counts = counts[:, expected >= FEWEST]
    if counts.shape[1] < 2:
        return 0.0 if counts.sum() < len(both) / 2 else 1.0
    return float(stats.chi2_contingency(counts).pvalue)


def _counts(values: Array, points: Array) -> Array:
    place = np.searchsorted(points, values, side="right") - 1
    return np.bincount(np.maximum(place, 0), minlength=len(points))
