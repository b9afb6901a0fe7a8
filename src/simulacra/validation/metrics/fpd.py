"""The Fréchet physics distance (FPD) of two samples in many features at once.

As JetNet defines it, so that numbers compare with published ones (CaloChallenge quotes them
times 1000): each feature over its largest reference modulus, batches drawn with replacement.

References:
    R. Kansal et al. (2023), On the evaluation of generative models in high energy physics,
    arXiv:2211.10295.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.scaling import over_largest

FPD_SIZES = (10_000, 50_000)
"""Smallest and largest batch, as CaloChallenge has them."""
FPD_POINTS, FPD_BATCHES = 10, 20
_EVENTS_AT_ONCE = 1024
_NUMBERS_AT_ONCE = 1 << 24


def fpd_sizes(n: int) -> tuple[int, int]:
    """Return the smallest and largest batch for n events (of the smaller sample).

    With fewer events than ``FPD_SIZES`` begins with, batches of n / 5 to n: the same span.
    """
    return FPD_SIZES if n >= FPD_SIZES[0] else (max(2, n // 5), max(3, n))


def fpd_caution(n: int) -> str | None:
    """Return a note on the FPD of n events (of the smaller sample), if it needs one."""
    if n >= FPD_SIZES[0]:
        return None
    small, large = fpd_sizes(n)
    return (
        f"FPD: {n} events, the definition begins with {FPD_SIZES[0]}; batches of {small} to {large}"
        " events instead, so that it compares with its baseline but not with published values"
    )


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
    and the intercept is the result (the published fit, which is too high near 0). The error is
    that of the fit alone; how far such samples
    scatter, the baseline shows.
    """
    a, b = over_largest(reference, generated) if normalise else (reference, generated)
    smallest, largest = fpd_sizes(min(len(a), len(b)))
    points = (1 / np.linspace(1 / smallest, 1 / largest, FPD_POINTS)).astype(np.int64)
    origin = a.mean(axis=0, dtype=np.float64)  # second moments about it lose no digits
    a, b = (x.astype(np.float64) - origin for x in (a, b))
    held = [[_held(len(x), size, rng) for size in points] for x in (a, b)]
    wide = 4 * a.shape[1] > min(len(a), len(b))
    distance = _distances_by_events if wide else _distances_by_features
    distances = [distance(a, b, *weights).mean() for weights in zip(*held, strict=True)]
    return _intercept(1 / points, np.array(distances))


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


def _held(n: int, size: int, rng: np.random.Generator) -> FloatArray:
    """Return how often batches of ``size`` of n events, with replacement, hold each: (batches, n).

    All moments are then products of matrices.
    """
    drawn = (rng.integers(n, size=size) for _ in range(FPD_BATCHES))
    return np.stack([np.bincount(events, minlength=n) for events in drawn]).astype(np.float64)


def _distances_by_features(
    a: FloatArray, b: FloatArray, held_a: FloatArray, held_b: FloatArray
) -> FloatArray:
    """Return the Fréchet distances of batches (batches,) from their covariances (f, f)."""
    return frechet_distance(*_batch_moments(a, held_a), *_batch_moments(b, held_b))


def _batch_moments(x: FloatArray, held: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means (batches, f) and covariances (batches, f, f) of batches of events (n, f)."""
    n, f = x.shape
    sizes = held.sum(axis=1)[:, None]
    second = np.zeros((len(held), f * f))
    step = max(1, min(_EVENTS_AT_ONCE, _NUMBERS_AT_ONCE // f**2))
    for start in range(0, n, step):
        part = x[start : start + step]
        products = (part[:, :, None] * part[:, None, :]).reshape(len(part), f * f)
        second += held[:, start : start + step] @ products
    mean = held @ x / sizes
    scatter = second.reshape(-1, f, f) - sizes[..., None] * mean[:, :, None] * mean[:, None, :]
    return mean, scatter / (sizes - 1)[..., None]


def _distances_by_events(
    a: FloatArray, b: FloatArray, held_a: FloatArray, held_b: FloatArray
) -> FloatArray:
    r"""Return the Fréchet distances of batches (batches,) of fewer events than features.

    With the centred events of a batch over :math:`\sqrt{n - 1}` as rows of a matrix,
    :math:`\Sigma = X^T X`, and :math:`Tr (\Sigma_1 \Sigma_2)^{1/2}` is the sum of the singular
    values of :math:`X_1 X_2^T`: products of events in place of covariances.
    """
    return np.array(
        [_distance_by_events(a, b, *weights) for weights in zip(held_a, held_b, strict=True)]
    )


def _distance_by_events(
    a: FloatArray, b: FloatArray, held_a: FloatArray, held_b: FloatArray
) -> float:
    means, rows = [], []
    for x, held in ((a, held_a), (b, held_b)):
        there, n = held > 0, held.sum()
        means.append(held @ x / n)
        rows.append((x[there] - means[-1]) * np.sqrt(held[there] / (n - 1))[:, None])
    first, second = rows
    cross = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    difference = np.sum((means[0] - means[1]) ** 2)
    return float(difference + np.vdot(first, first) + np.vdot(second, second) - 2 * cross)


def _square_root(matrices: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(matrices)
    roots = np.sqrt(np.clip(values, 0, None))[..., None, :] * vectors
    product: FloatArray = roots @ np.swapaxes(vectors, -1, -2)
    return product


def _intercept(x: FloatArray, y: FloatArray) -> Estimate:
    """Return the intercept of a straight line with its error, both coefficients not negative.

    By JetNet's fit, scipy's bounded least squares with its default start and tolerances, so
    that numbers compare with published ones: near 0 it stops early. Distances of 1e-4 are below its
    tolerances, and of equal samples it gives up to twice the intercept of the best line.
    """

    def line(at: FloatArray, intercept: float, slope: float) -> FloatArray:
        return intercept + slope * at

    if not np.isfinite(y).all():
        return Estimate(math.nan)
    bounds = ([0.0, 0.0], [np.inf, np.inf])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optimize.OptimizeWarning)  # no covariance: no error
        coefficients, covariance = optimize.curve_fit(line, x, y, bounds=bounds)
    variance = float(covariance[0, 0])
    error = math.sqrt(variance) if math.isfinite(variance) else math.nan
    return Estimate(float(coefficients[0]), error)
