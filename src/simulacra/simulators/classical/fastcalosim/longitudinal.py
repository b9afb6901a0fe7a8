"""Layer energies from principal components: FastCaloSim's longitudinal parametrisation.

Shares of the layers and the response become normal numbers by their cumulative distributions. A
first principal component analysis divides the showers, a second one in each bin is what is drawn.
ATLAS, FastCaloSim V2 (AtlFast3, arXiv:2109.02551).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simulacra.arrays import Array, FloatArray, IntArray

KNOTS = 33
"""Points of an inverse cumulative distribution: equally far apart in normal numbers."""
CONSTANT = 1e-12
"""Width of normal numbers below which a variable is constant."""


def normal_scores(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return normal numbers (n, v) of values (n, v) by their ranks; equal ones in random order."""
    n = len(values)
    order = np.lexsort((rng.random(values.T.shape), values.T), axis=-1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(n)[None, :], axis=1)
    scores: FloatArray = ndtri((ranks.T + 0.5) / n)
    scores[:, np.ptp(values, axis=0) == 0] = 0.0
    return scores


def first_component(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the component (n,) of values (n, v) with the largest variance, as normal numbers."""
    scaled, _ = _scaled(normal_scores(values, rng))
    _, vectors = np.linalg.eigh(scaled.T @ scaled)
    first: FloatArray = scaled @ _upright(vectors[:, -1:])[:, 0]
    return first


def _scaled(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return scores (n, v) over their widths (v,); those of constants stay 0."""
    width = scores.std(axis=0)
    width = np.where(width > CONSTANT, width, 1.0)
    return (scores - scores.mean(axis=0)) / width, width


def _upright(vectors: FloatArray) -> FloatArray:
    """Return eigenvectors (v, k) with signs that do not depend on the machine."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None, :], axis=0)
    upright: FloatArray = vectors * np.where(largest < 0, -1.0, 1.0)
    return upright


@dataclass(frozen=True, slots=True)
class Inverse:
    """Inverse cumulative distributions of v variables, as functions of a normal number.

    Attributes:
        low, high: normal numbers of the first and the last knot (v,).
        empty: whether a variable is 0 below the first knot (v,): layers without energy.
        values: of the knots (v, k).
    """

    low: FloatArray
    high: FloatArray
    empty: Array
    values: FloatArray

    @classmethod
    def of(cls, sample: FloatArray) -> Inverse:
        """Return those of a sample (n, v)."""
        n = len(sample)
        scores = ndtri((np.arange(n) + 0.5) / n)
        ordered = np.sort(sample, axis=0)
        first = np.minimum(np.count_nonzero(ordered <= 0, axis=0), n - 1)
        low, high = scores[first], np.full(len(first), scores[-1])
        knots = np.linspace(low, high, KNOTS, axis=1)
        values = np.array([np.interp(k, scores, c) for k, c in zip(knots, ordered.T, strict=True)])
        return cls(low, high, first > 0, values)

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Return the values (n, v) of normal numbers (n, v)."""
        span = np.maximum(self.high - self.low, CONSTANT)
        place = np.clip((scores - self.low) / span, 0, 1) * (self.values.shape[1] - 1)
        knot = np.minimum(place.astype(np.int64), self.values.shape[1] - 2)
        row = np.arange(len(self.low))
        below, above = self.values[row, knot], self.values[row, knot + 1]
        found = below + (place - knot) * (above - below)
        return np.where(self.empty & (scores < self.low), 0.0, found)


@dataclass(frozen=True, slots=True)
class Component:
    """What is drawn in one bin of the first component.

    Attributes:
        offset: of the normal numbers of variables (v,).
        matrix: from independent normal numbers to those of variables (v, v): eigenvectors of the
            second analysis, times the widths of its components and of the variables.
        inverse: from normal numbers to variables.
    """

    offset: FloatArray
    matrix: FloatArray
    inverse: Inverse

    @classmethod
    def of(cls, sample: FloatArray, rng: np.random.Generator) -> Component:
        """Return that of a sample (n, v): shares of layers, and the response."""
        scores = normal_scores(sample, rng)
        scaled, width = _scaled(scores)
        _, vectors = np.linalg.eigh(scaled.T @ scaled)
        vectors = _upright(vectors[:, ::-1])
        components = scaled @ vectors
        matrix = width[:, None] * vectors * components.std(axis=0)
        offset = scores.mean(axis=0) + width * (vectors @ components.mean(axis=0))
        return cls(offset, matrix, Inverse.of(sample))

    def drawn(self, z: FloatArray) -> FloatArray:
        """Return variables (n, v) from independent normal numbers (n, v): shares sum to 1."""
        values = self.inverse(self.offset + z @ self.matrix.T)
        shares = np.maximum(values[:, :-1], 0.0)
        total = shares.sum(axis=1, keepdims=True)
        values[:, :-1] = shares / np.where(total > 0, total, 1.0)
        return values


@dataclass(frozen=True, slots=True)
class Group:
    """The showers of one bin of conditions.

    Attributes:
        probability: of showers without any energy, and of the bins (b + 1,).
        components: of the bins (b).
    """

    probability: FloatArray
    components: tuple[Component, ...]

    @property
    def bins(self) -> int:
        """The number of bins of the first component."""
        return len(self.components)

    def drawn(self, bins: IntArray, z: FloatArray) -> FloatArray:
        """Return variables (n, v) of bins (n,), -1 being without energy, from normal numbers."""
        values = np.zeros(z.shape)
        for number, component in enumerate(self.components):
            chosen = bins == number
            values[chosen] = component.drawn(z[chosen])
        return values


def divided(
    variables: FloatArray, bins: int, fewest: int, rng: np.random.Generator
) -> tuple[IntArray, int]:
    """Return the bin of the first component (n,) of showers, and how many bins there are.

    Args:
        variables: shares of layers, and the response (n, v).
        bins: how many are wanted.
        fewest: showers that each has; with fewer showers there are fewer bins, down to one.
        rng: of the order of equal values.
    """
    n = len(variables)
    number = int(np.clip(n // fewest, 1, bins))
    order = np.argsort(first_component(variables, rng), kind="stable")
    found = np.empty(n, np.int64)
    found[order] = np.arange(n) * number // n
    return found, number
