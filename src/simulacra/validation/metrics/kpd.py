"""The kernel physics distance (KPD) of two samples in many features at once.

As JetNet defines it, so that numbers compare with published ones (CaloChallenge quotes them
times 1000): each feature over its largest reference modulus, batches drawn with replacement.

References:
    R. Kansal et al. (2023), On the evaluation of generative models in high energy physics,
    arXiv:2211.10295.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.scaling import over_largest

KPD_SIZE, KPD_BATCHES = 5_000, 10
_EVENTS_AT_ONCE = 1024


def kpd_size(n: int) -> int:
    """Return the size of a batch for n events (of the smaller sample): ``KPD_SIZE``, or n."""
    return min(KPD_SIZE, n)


def kpd_caution(n: int) -> str | None:
    """Return a note on the KPD of n events (of the smaller sample), if it needs one."""
    if n >= KPD_SIZE:
        return None
    return f"KPD: batches of {kpd_size(n)} events instead of {KPD_SIZE}"


def kpd(
    reference: NDArray[np.floating],
    generated: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    normalise: bool = True,
) -> Estimate:
    r"""Return the kernel physics distance of features (n, f) and (m, f).

    The unbiased squared maximum mean discrepancy with the kernel
    :math:`(x \cdot y / f + 1)^4`: the median over batches; the error is half of the central 68 %
    interval of the batches, as JetNet quotes it.
    """
    a, b = over_largest(reference, generated) if normalise else (reference, generated)
    size = kpd_size(min(len(a), len(b)))
    if size < 2:
        return Estimate(math.nan)
    values = []
    for _ in range(KPD_BATCHES):
        x, y = (s[rng.integers(len(s), size=size)].astype(np.float64) for s in (a, b))
        values.append(_within(x) + _within(y) - 2 * _kernel_sum(x, y) / size**2)
    low, high = np.percentile(values, [16.275, 83.725])
    return Estimate(float(np.median(values)), float(high - low) / 2)


def _within(x: FloatArray) -> float:
    """Return the mean of the kernel over pairs of different rows."""
    n = len(x)
    diagonal = (np.sum(x**2, axis=1) / x.shape[1] + 1) ** 4
    return (_kernel_sum(x, x) - float(diagonal.sum())) / (n * (n - 1))


def _kernel_sum(x: FloatArray, y: FloatArray) -> float:
    total = 0.0
    for start in range(0, len(x), _EVENTS_AT_ONCE):
        kernel = x[start : start + _EVENTS_AT_ONCE] @ (y.T / x.shape[1])
        kernel += 1
        np.square(kernel, out=kernel)
        total += float(np.vdot(kernel, kernel))  # the square of the square
    return total
