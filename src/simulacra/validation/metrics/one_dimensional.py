"""Numbers that say how well a generated sample follows the reference, one observable at a time.

A metric is a function of the reference values (n,) and the generated values (m,), all finite, that
returns an :class:`Estimate`. Adding one: a function and a row of :data:`METRICS`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulacra.arrays import FloatArray
from simulacra.statistics.histograms import binning_of, chi2_of_counts
from simulacra.statistics.rounding import is_constant

UNDEFINED = math.nan
CENTRAL = 0.6827
"""Part of a Gaussian within one standard deviation."""
FEW_FOR_KS = 100
"""Values up to which the p-value of the KS test is exact; the limiting one is for many."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its statistical error (one standard deviation); nan where undefined."""

    value: float
    error: float = UNDEFINED

    def __str__(self) -> str:
        """Return value ± error to the second significant digit of the error; a dash for nan."""
        if not math.isfinite(self.value):
            return "–"
        if not math.isfinite(self.error) or self.error == 0:
            return f"{self.value:.4g}"
        exponent = math.floor(math.log10(self.error))
        if exponent > 4:
            return f"{self.value:.4g} ± {self.error:.2g}"
        decimals = max(0, 1 - exponent)
        return f"{self.value:.{decimals}f} ± {self.error:.{decimals}f}"


@dataclass(frozen=True, slots=True)
class Moments:
    """What n finite values are summarised by, with errors; nan where n is too small.

    Attributes:
        n: their number.
        mean, std: mean and standard deviation.
        median, spread: the median, and half of the central interval that holds 68.3 %: what mean
            and standard deviation are without tails.
    """

    n: int
    mean: Estimate
    std: Estimate
    median: Estimate
    spread: Estimate


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
    return Moments(n, *error, *median_and_spread(values))


def median_and_spread(values: FloatArray) -> tuple[Estimate, Estimate]:
    """Return the median and half the central 68.3 % interval of the values (n,), n > 1.

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


def separation(p: NDArray[np.number], q: NDArray[np.number]) -> FloatArray:
    r"""Return the separation power of histograms, 0 for equal and 1 for disjoint ones.

    :math:`S = \frac{1}{2} \sum_i (p_i - q_i)^2 / (p_i + q_i)` of the contents, each normalised to
    sum 1, the triangular discrimination. The official CaloChallenge code drops entries beyond the
    edges before it normalises, so that tails that escape the axis score perfectly; here the first
    and last bin are the under- and overflow, and they count.

    Args:
        p: contents (..., bins), not normalised; the leading axes broadcast.
        q: likewise.

    Returns:
        One value for each histogram.

    References:
        S. Diefenbacher et al. (2020), arXiv:2009.03796, eq. 15.
    """
    p = p / p.sum(axis=-1, keepdims=True)
    q = q / q.sum(axis=-1, keepdims=True)
    total = p + q
    terms = np.divide((p - q) ** 2, total, out=np.zeros_like(total), where=total > 0)
    result: FloatArray = np.asarray(0.5 * terms.sum(axis=-1))
    return result


def separation_power(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the separation power in the bins of the reference, with under- and overflow."""
    binning = binning_of(reference)
    return Estimate(float(separation(binning.counts(reference), binning.counts(generated))))


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


def spread_ratio(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the generated over the reference spread, half the central 68.3 % interval."""
    return ratio_of("spread", moments(reference), moments(generated))


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


def wasserstein(reference: FloatArray, generated: FloatArray) -> Estimate:
    r"""Return the Wasserstein-1 distance :math:`\int |F - G| dx`, in the observable's unit."""
    return Estimate(float(stats.wasserstein_distance(reference, generated)))


def wasserstein_in_widths(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the Wasserstein-1 distance over the reference's standard deviation."""
    width = moments(reference).std.value
    if not width > 0:
        return Estimate(UNDEFINED)
    return Estimate(wasserstein(reference, generated).value / width)


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


def chi2_per_ndf(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return chi2/ndf in the bins of the reference; 1 +- its error where nothing differs."""
    binning = binning_of(reference)
    chi2, ndf = chi2_of_counts(binning.counts(reference), binning.counts(generated))
    return Estimate(chi2 / ndf, math.sqrt(2 / ndf)) if ndf else Estimate(UNDEFINED)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and how a table names it.

    Attributes:
        label: what a table calls it.
        function: of the reference's and the generated values.
        binned: whether it looks at histograms, so that it takes places on the observable's axis.
        summary: the same from what summarises both samples, where that is enough.
    """

    label: str
    function: Callable[[FloatArray, FloatArray], Estimate]
    binned: bool = False
    summary: Callable[[Moments, Moments], Estimate] | None = None


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "mean_difference": Metric("mean difference", mean_difference, summary=difference_of),
        "mean_ratio": Metric("mean ratio", mean_ratio, summary=partial(ratio_of, "mean")),
        "width_ratio": Metric("width ratio", width_ratio, summary=partial(ratio_of, "std")),
        "median_ratio": Metric("median ratio", median_ratio, summary=partial(ratio_of, "median")),
        "spread_ratio": Metric("spread ratio", spread_ratio, summary=partial(ratio_of, "spread")),
        "separation": Metric("separation power", separation_power, binned=True),
        "wasserstein": Metric("W1", wasserstein),
        "wasserstein_in_widths": Metric("W1 / width", wasserstein_in_widths),
        "ks": Metric("KS", ks_statistic),
        "ks_p_value": Metric("KS p-value", ks_p_value),
        "chi2_per_ndf": Metric("χ² / ndf", chi2_per_ndf, binned=True),
    }
)
