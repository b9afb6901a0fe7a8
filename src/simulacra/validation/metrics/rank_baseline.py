"""The baseline of distances between distribution functions: Wasserstein-1 and Kolmogorov-Smirnov.

A bootstrap of the reference moves ranks only, and ranks are the same for every observable. So the
pairs of samples are drawn once, as differences of distribution functions at some ranks; each
observable then says where on its axis these ranks are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.validation.metrics.baseline import REPLICAS, DistanceBaseline, baseline_from
from simulacra.validation.metrics.catalogue import METRICS

NODES = 512
"""Ranks at which the differences are kept; with up to as many events, all ranks."""
DISTANCES = ("wasserstein", "wasserstein_in_widths", "ks")
"""The rows of the table of metrics that get this baseline."""


@dataclass(frozen=True, slots=True)
class RankReplicas:
    """Pairs of samples from one parent, in terms of its ranks.

    Attributes:
        ranks: ascending ranks 1 … n_reference - 1, (nodes,).
        differences: |F - G| just above each rank, for each pair, (replicas, nodes).
        n_reference, n_generated: the sizes.
    """

    ranks: IntArray
    differences: FloatArray
    n_reference: int
    n_generated: int


def rank_replicas(n_reference: int, n_generated: int, rng: np.random.Generator) -> RankReplicas:
    """Draw pairs of samples, of ``n_reference`` and ``n_generated``, from n_reference values."""
    ranks = _nodes(n_reference)
    shares = np.diff(np.concatenate([[0], ranks, [n_reference]])) / n_reference
    first = rng.multinomial(n_reference, shares, size=REPLICAS)[:, :-1].cumsum(axis=1)
    second = rng.multinomial(n_generated, shares, size=REPLICAS)[:, :-1].cumsum(axis=1)
    differences = np.abs(first / n_reference - second / n_generated)
    return RankReplicas(ranks, differences, n_reference, n_generated)


def _nodes(n: int) -> IntArray:
    """Return all ranks, or some: dense at both ends, where the tails of an observable are."""
    if n <= NODES:
        return np.arange(1, n)
    ends = np.geomspace(1, n / 2, NODES // 4)
    return np.unique(
        np.concatenate([ends, n - ends, np.linspace(1, n - 1, NODES // 2)]).astype(int)
    )


def rank_baselines(
    reference: FloatArray, replicas: RankReplicas, independent: FloatArray | None = None
) -> dict[str, DistanceBaseline]:
    """Return the baseline of each of :data:`DISTANCES`.

    Args:
        reference: finite values (n,). Where some of the ``n_reference`` were not finite, the
            replicas are those of slightly larger samples.
        replicas: what was drawn for samples of this size.
        independent: finite values of an independent sample of full simulation, if there is one: a
            check of the baselines, of any size.
    """
    values = _positions(reference, replicas)
    w1 = replicas.differences @ _weights(values, replicas)
    # only above the last of equal values are both distribution functions complete
    complete = values[:-1] < values[1:]
    ks = replicas.differences[:, complete].max(axis=1, initial=0.0)
    width = float(reference.std(ddof=1)) if len(reference) > 1 else 0.0
    scores = {"wasserstein": w1, "ks": ks}
    if width > 0:
        scores["wasserstein_in_widths"] = w1 / width
    n = replicas.n_generated
    return {
        name: baseline_from("bootstrap", drawn, n, _check(name, reference, drawn, n, independent))
        for name, drawn in scores.items()
    }


def _check(
    name: str, reference: FloatArray, drawn: FloatArray, n: int, independent: FloatArray | None
) -> float | None:
    """Return the score of an independent sample over the one that its size makes by chance.

    These distances fall with the square root of 1/n + 1/m.
    """
    if independent is None or not len(independent) or not drawn.mean() > 0:
        return None
    sizes = [1 / len(reference) + 1 / size for size in (n, len(independent))]
    expected = float(drawn.mean()) * math.sqrt(sizes[1] / sizes[0])
    return METRICS[name].function(reference, independent).value / expected


def _positions(reference: FloatArray, replicas: RankReplicas) -> FloatArray:
    """Return the values at the ranks and the largest one, (nodes + 1,)."""
    ranks = np.append(replicas.ranks, replicas.n_reference)
    places = -(-ranks * len(reference) // replicas.n_reference) - 1
    positions: FloatArray = np.sort(reference)[places]
    return positions


def _weights(values: FloatArray, replicas: RankReplicas) -> FloatArray:
    """Return what each difference weighs in the integral over the axis, (nodes,).

    Between neighbouring ranks the difference is constant; between distant ones, linear.
    """
    steps = np.diff(values)
    coarse = np.diff(np.append(replicas.ranks, replicas.n_reference)) > 1
    left = np.where(coarse, steps / 2, steps)
    left[1:] += (steps - np.where(coarse, steps / 2, steps))[:-1]
    return left
