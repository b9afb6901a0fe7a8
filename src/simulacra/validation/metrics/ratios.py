"""Mean difference, and ratios of mean, width, median and half of the central 68 % interval."""

from __future__ import annotations

import math

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.moments import Moments, moments
from simulacra.validation.metrics.record import UNDEFINED, Estimate


def mean_difference(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the generated mean minus the reference mean, in the observable's unit."""
    return difference_of(moments(reference), moments(generated))


def mean_ratio(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the generated mean over the reference mean."""
    return ratio_of("mean", moments(reference), moments(generated))


def width_ratio(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the generated over the reference standard deviation."""
    return ratio_of("std", moments(reference), moments(generated))


def median_ratio(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the generated over the reference median."""
    return ratio_of("median", moments(reference), moments(generated))


def sigma_eff_ratio(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the generated over the reference σ_eff, half the central 68.3 % interval."""
    return ratio_of("sigma_eff", moments(reference), moments(generated))


def difference_of(reference: Moments, generated: Moments) -> Estimate:
    """Return the generated mean minus the reference mean of independent samples."""
    a, b = reference.mean, generated.mean
    return Estimate(b.value - a.value, math.hypot(a.error, b.error))


def ratio_of(field: str, reference: Moments, generated: Moments) -> Estimate:
    """Return the ratio of a field of :class:`Moments` of independent samples."""
    return _ratio(getattr(generated, field), getattr(reference, field))


def _ratio(numerator: Estimate, denominator: Estimate) -> Estimate:
    """Return the ratio of independent estimates; errors to first order."""
    if denominator.value == 0 or not math.isfinite(denominator.value):
        return Estimate(UNDEFINED)
    ratio = numerator.value / denominator.value
    error = math.hypot(numerator.error, ratio * denominator.error) / abs(denominator.value)
    return Estimate(ratio, error)
