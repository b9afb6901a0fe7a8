"""Whether numbers are standard normal: each by itself, and all of them together.

For the latent space of an autoencoder: what a decoder is fed when it generates is N(0, 1), so what
the encoder makes of showers had better be, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import kstest

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.record import Estimate

MOST = 2000
"""Events that take part in the energy distance, which costs their square."""
BASELINES = 10
"""Samples of N(0, 1) that are judged for the baseline."""


@dataclass(frozen=True, slots=True)
class Gaussianity:
    """How far numbers (n, dimensions) are from N(0, 1).

    Attributes:
        events: how many there are.
        distances: Kolmogorov-Smirnov distance of each number.
        energy_distance: of all together; 0 for equal distributions.
        baseline_distance: the largest of ``distances`` for as many standard normal numbers.
        baseline_energy_distance: the energy distance for as many standard normal numbers.
    """

    events: int
    distances: tuple[float, ...]
    energy_distance: float
    baseline_distance: Estimate
    baseline_energy_distance: Estimate


def gaussianity(numbers: FloatArray, rng: np.random.Generator) -> Gaussianity:
    """Return how far numbers (n, dimensions) are from N(0, 1), beside what chance alone gives.

    References:
        Székely, Rizzo: Energy statistics, J. Stat. Plan. Inference 143 (2013) 1249.
    """
    distances, energy = _judged(numbers, rng)
    baselines = [_judged(rng.standard_normal(numbers.shape), rng) for _ in range(BASELINES)]
    largest = np.array([max(baseline) for baseline, _ in baselines])
    energies = np.array([baseline for _, baseline in baselines])
    return Gaussianity(len(numbers), distances, energy, _estimate(largest), _estimate(energies))


def _judged(numbers: FloatArray, rng: np.random.Generator) -> tuple[tuple[float, ...], float]:
    distances = tuple(float(kstest(column, "norm").statistic) for column in numbers.T)
    some = numbers[rng.permutation(len(numbers))[:MOST]]
    return distances, energy_distance(some, rng.standard_normal(some.shape))


def energy_distance(x: FloatArray, y: FloatArray) -> float:
    """Return 2 E|X - Y| - E|X - X'| - E|Y - Y'| of samples (n, dimensions) and (m, dimensions)."""
    between, within = cdist(x, y).mean(), cdist(x, x).mean() + cdist(y, y).mean()
    return float(2 * between - within)


def _estimate(values: FloatArray) -> Estimate:
    """Return the mean and the standard deviation of single values."""
    return Estimate(float(values.mean()), float(values.std(ddof=1)))
