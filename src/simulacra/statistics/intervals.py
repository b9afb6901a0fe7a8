"""Confidence intervals of quantities that few measurements give."""

from __future__ import annotations

LEVEL = 0.95
"""Probability that an interval holds the quantity."""


def half_interval(error: float, freedom: int) -> float:
    """Return half the 95 % interval of a quantity, by Student's t.

    Args:
        error: its standard error, estimated from the measurements.
        freedom: degrees of freedom of that estimate, at least 1.

    Example:
        >>> round(half_interval(1.0, 1), 2), round(half_interval(1.0, 10**6), 2)
        (12.71, 1.96)
    """
    from scipy.stats import t  # slow to import

    return float(t.ppf((1 + LEVEL) / 2, freedom)) * error
