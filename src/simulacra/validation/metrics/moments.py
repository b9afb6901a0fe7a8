"""The numbers that summarise a distribution, with errors that hold for any distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.statistics.rounding import is_constant
from simulacra.validation.metrics.record import UNDEFINED, Estimate

CENTRAL = 0.6827
"""Part of a Gaussian within one standard deviation."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What n finite values are summarised by, with errors; nan where n is too small.

    Attributes:
        n: their number.
        mean, std: mean and standard deviation.
        median, sigma_eff: the median, and σ_eff, half of the central interval that holds 68.3 %:
            mean and standard deviation of a Gaussian, without the weight of tails.
    """

    n: int
    mean: Estimate
    std: Estimate
    median: Estimate
    sigma_eff: Estimate


def moments(values: FloatArray) -> Moments:
    """Return what summarises the values (n,), with errors."""
    n = len(values)
    undefined = Estimate(UNDEFINED)
    if n == 0:
        return Moments(0, undefined, undefined, undefined, undefined)
    mean = float(values.mean())
    if n == 1:
        return Moments(1, Estimate(mean), undefined, Estimate(mean), undefined)
    if is_constant(values):  # rounding is no width
        return Moments(n, *(Estimate(value, 0.0) for value in (mean, 0.0, mean, 0.0)))
    std = float(values.std(ddof=1))
    error = Estimate(mean, std / math.sqrt(n)), Estimate(std, std_error(values))
    return Moments(n, *error, *median_and_sigma_eff(values))


def median_and_sigma_eff(values: FloatArray) -> tuple[Estimate, Estimate]:
    """Return the median and σ_eff, half the central 68.3 % interval, of the values (n,), n > 1.

    The number of values below a quantile p is binomial with the deviation sqrt(n p (1 - p)): half
    the distance of the quantiles that lie so far above and below is the error of the quantile, for
    any distribution. Both ends of the interval are correlated by (1 - q) / (1 + q), q = 68.3 %.
    """
    p = np.array([(1 - CENTRAL) / 2, 0.5, (1 + CENTRAL) / 2])
    step = np.sqrt(p * (1 - p) / len(values))
    ends = np.clip(np.concatenate([p - step, p, p + step]), 0.0, 1.0)
    below, at, above = np.quantile(values, ends).reshape(3, 3)
    low, middle, high = (above - below) / 2
    common = (1 - CENTRAL) / (1 + CENTRAL) * low * high
    error = math.sqrt(max(low**2 + high**2 - 2 * common, 0.0)) / 2
    return Estimate(float(at[1]), float(middle)), Estimate(float(at[2] - at[0]) / 2, error)


def std_error(values: FloatArray) -> float:
    r"""Return the standard error of the standard deviation of the values (n,), n > 1.

    From the fourth central moment, so that it holds for any distribution:
    :math:`var(s^2) = (\mu_4 - \sigma^4 (n - 3) / (n - 1)) / n` and, to first order,
    :math:`\sigma_s = \sqrt{var(s^2)} / 2 s`. The usual :math:`s / \sqrt{2 (n - 1)}` is the
    Gaussian case and far too small for the tails of showers.

    References:
        R. Rao, Linear Statistical Inference and Its Applications (1973), section 6h.
    """
    n = len(values)
    residuals = values - values.mean()
    variance = float(np.sum(residuals**2) / (n - 1))
    if variance <= 0:
        return 0.0
    # residuals in units of the deviation: tiny or huge units must not under- or overflow
    kurtosis = float(np.mean((residuals / math.sqrt(variance)) ** 4))
    relative = max(kurtosis - (n - 3) / (n - 1), 0.0) / n
    return math.sqrt(variance) * math.sqrt(relative) / 2
