"""The Kolmogorov-Smirnov test: the largest distance of distribution functions, its p-value."""

from __future__ import annotations

import warnings

from scipy import stats

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.record import Estimate

FEW_FOR_KS = 100
"""Values up to which the p-value of the KS test is exact; the limiting one is for many."""


def ks_statistic(reference: FloatArray, generated: FloatArray) -> Estimate:
    r"""Return the Kolmogorov-Smirnov statistic :math:`\max |F - G|`."""
    return Estimate(_ks(reference, generated)[0])


def ks_p_value(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the p-value of the KS test, exact for few values; too large where values repeat."""
    return Estimate(_ks(reference, generated)[1])


def _ks(reference: FloatArray, generated: FloatArray) -> tuple[float, float]:
    few = max(len(reference), len(generated)) <= FEW_FOR_KS
    with warnings.catch_warnings():
        # where exact sums overflow, scipy takes the asymptotic value and says so
        warnings.filterwarnings("ignore", "ks_2samp", RuntimeWarning)
        result = stats.ks_2samp(reference, generated, method="exact" if few else "asymp")
    return float(result.statistic), float(result.pvalue)
