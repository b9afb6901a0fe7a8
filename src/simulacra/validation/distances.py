r"""Distances of two samples in many features at once: Fréchet (FPD) and kernel (KPD).

Both as JetNet defines them, so that numbers compare with published ones (CaloChallenge quotes them
times 1000): each feature over its largest reference modulus, batches drawn with replacement.

References:
    R. Kansal et al. (2023), On the evaluation of generative models in high energy physics,
    arXiv:2211.10295.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from simulacra.arrays import FloatArray, IntArray
from simulacra.validation.metrics import Estimate

FPD_SIZES = (10_000, 50_000)
"""Smallest and largest batch, as CaloChallenge has them."""
FPD_POINTS, FPD_BATCHES = 10, 20
KPD_SIZE, KPD_BATCHES = 5_000, 10
_EVENTS_AT_ONCE = 1024


def fpd_sizes(n: int) -> tuple[int, int]:
    """Return the smallest and largest batch for n events (of the smaller sample).

    With fewer events than ``FPD_SIZES`` begins with, batches of n / 5 to n: the same span.
    """
    return FPD_SIZES if n >= FPD_SIZES[0] else (max(2, n // 5), max(3, n))


def kpd_size(n: int) -> int:
    """Return the size of a batch for n events (of the smaller sample): ``KPD_SIZE``, or n."""
    return min(KPD_SIZE, n)


def fpd(
    reference: NDArray[np.floating],
    generated: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    normalise: bool = True,
) -> Estimate:
    r"""Return the Fréchet physics distance of features (n, f) and (m, f).

    The Fréchet distance of Gaussians with the samples' moments,
    :math:`|\mu_1 - \mu_2|^2 + Tr(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2})`, is biased by
    1/N to first order: it is fitted as a straight line in 1/N, slope and intercept not negative,
    and the intercept is the result. The error is that of the fit alone; how far such samples
    scatter, the floor shows.
    """
    a, b = _scaled(reference, generated) if normalise else (reference, generated)
    smallest, largest = fpd_sizes(min(len(a), len(b)))
    points = (1 / np.linspace(1 / smallest, 1 / largest, FPD_POINTS)).astype(np.int64)
    batches = np.repeat(points, FPD_BATCHES)
    origin = a.mean(axis=0, dtype=np.float64)  # second moments about it lose no digits
    first, second = (_batch_moments(x - origin, batches, rng) for x in (a, b))
    distances = frechet_distance(*first, *second).reshape(FPD_POINTS, FPD_BATCHES).mean(axis=1)
    return _intercept(1 / points, distances)


def frechet_distance(
    mean1: FloatArray, covariance1: FloatArray, mean2: FloatArray, covariance2: FloatArray
) -> FloatArray:
    """Return the squared Fréchet distance of Gaussians; means (..., f), covariances (..., f, f)."""
    difference = np.sum((mean1 - mean2) ** 2, axis=-1)
    product = _square_root(covariance1) @ _square_root(covariance2)
    # Tr (S1 S2)^(1/2) is the sum of the singular values of S1^(1/2) S2^(1/2): never complex
    cross = np.linalg.svd(product, compute_uv=False).sum(axis=-1)
    traces = np.trace(covariance1 + covariance2, axis1=-2, axis2=-1)
    distance: FloatArray = difference + traces - 2 * cross
    return distance


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
    a, b = _scaled(reference, generated) if normalise else (reference, generated)
    size = kpd_size(min(len(a), len(b)))
    if size < 2:
        return Estimate(math.nan)
    values = []
    for _ in range(KPD_BATCHES):
        x, y = (s[rng.integers(len(s), size=size)].astype(np.float64) for s in (a, b))
        values.append(_within(x) + _within(y) - 2 * _kernel_sum(x, y) / size**2)
    low, high = np.percentile(values, [16.275, 83.725])
    return Estimate(float(np.median(values)), float(high - low) / 2)


def _scaled(
    reference: NDArray[np.floating], generated: NDArray[np.floating]
) -> tuple[FloatArray, FloatArray]:
    largest = np.abs(reference).max(axis=0).astype(np.float64)
    largest[largest == 0] = 1.0
    return reference / largest, generated / largest


def _batch_moments(
    x: FloatArray, sizes: IntArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return means (batches, f) and covariances (batches, f, f) of batches with replacement.

    A batch is how often it holds each event; all moments are then products of matrices.
    """
    n, f = x.shape
    counts = np.stack([np.bincount(rng.integers(n, size=s), minlength=n) for s in sizes])
    weights = counts.astype(np.float64)
    second = np.zeros((len(sizes), f * f))
    for start in range(0, n, _EVENTS_AT_ONCE):
        part = x[start : start + _EVENTS_AT_ONCE]
        products = (part[:, :, None] * part[:, None, :]).reshape(len(part), f * f)
        second += weights[:, start : start + _EVENTS_AT_ONCE] @ products
    mean = weights @ x / sizes[:, None]
    outer = mean[:, :, None] * mean[:, None, :]
    scatter = second.reshape(-1, f, f) - sizes[:, None, None] * outer
    return mean, scatter / (sizes - 1)[:, None, None]


def _square_root(matrices: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(matrices)
    roots = np.sqrt(np.clip(values, 0, None))[..., None, :] * vectors
    product: FloatArray = roots @ np.swapaxes(vectors, -1, -2)
    return product


def _intercept(x: FloatArray, y: FloatArray) -> Estimate:
    """Return the intercept of a straight line with its error, both coefficients not negative."""
    design = np.stack([np.ones_like(x), x], axis=1)
    coefficients, _ = optimize.nnls(design, y)
    residual = float(np.sum((y - design @ coefficients) ** 2)) / (len(x) - 2)
    covariance = np.linalg.inv(design.T @ design) * residual
    return Estimate(float(coefficients[0]), math.sqrt(covariance[0, 0]))


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
