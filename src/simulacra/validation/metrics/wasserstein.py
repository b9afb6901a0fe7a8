"""The Wasserstein-1 distance, in the observable's unit and in widths of the reference."""

from __future__ import annotations

from scipy import stats

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.moments import moments
from simulacra.validation.metrics.record import UNDEFINED, Estimate


def wasserstein(reference: FloatArray, generated: FloatArray) -> Estimate:
    r"""Return the Wasserstein-1 distance :math:`\int |F - G| dx`, in the observable's unit."""
    return Estimate(float(stats.wasserstein_distance(reference, generated)))


def wasserstein_in_widths(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the Wasserstein-1 distance over the reference's standard deviation."""
    width = moments(reference).std.value
    if not width > 0:
        return Estimate(UNDEFINED)
    return Estimate(wasserstein(reference, generated).value / width)
