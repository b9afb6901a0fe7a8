"""Precision, recall, density and coverage: do samples lie where the other one lies?

A classifier may miss that a generator repeats a few showers; recall and coverage do not.

References:
    T. Kynkäänniemi et al. (2019), arXiv:1904.06991 (precision, recall);
    M. F. Naeem et al. (2020), arXiv:2002.09797 (density, coverage).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.record import Estimate

NEAREST = 5
"""The neighbour whose distance is the radius of a ball, as in CaloChallenge."""
_MEGABYTES = 128


def neighbourhoods(
    reference: NDArray[np.floating], generated: NDArray[np.floating], _: object = None
) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """Return precision, recall, density and coverage of features (n, f) and (m, f).

    Balls around each event reach to its ``NEAREST`` neighbour in the same sample.

    - precision: the part of generated events inside any ball of the reference.
    - recall: the part of reference events inside any generated ball.
    - density: how many reference balls hold a generated event, over ``NEAREST``; 1 on average.
    - coverage: the part of reference balls that hold a generated event.

    The errors are binomial. Events share balls, so that they are too small: equal samples scatter
    up to 1.7 times as much. All four depend on the numbers of events: only values at equal
    numbers compare.
    """
    if min(len(reference), len(generated)) <= NEAREST:
        return (Estimate(math.nan),) * 4
    around_reference, around_generated = _radii(reference), _radii(generated)
    inside = np.zeros(len(generated), np.int64)
    covered = np.zeros(len(reference), bool)
    recalled = np.zeros(len(reference), bool)
    for rows, distances in _blocks(generated, reference):
        in_ball = distances < around_reference
        inside[rows] = in_ball.sum(axis=1)
        covered |= in_ball.any(axis=0)
        recalled |= (distances < around_generated[rows, None]).any(axis=0)
    counts = inside / NEAREST
    density = Estimate(float(counts.mean()), float(counts.std(ddof=1)) / math.sqrt(len(counts)))
    return _share(inside > 0), _share(recalled), density, _share(covered)


def _radii(x: NDArray[np.floating]) -> FloatArray:
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=NEAREST, algorithm="brute").fit(x).kneighbors()
    radii: FloatArray = distances[:, -1].astype(np.float64)
    return radii


def _blocks(
    rows: NDArray[np.floating], columns: NDArray[np.floating]
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield distances of some rows to all columns, as much as a little memory holds."""
    from sklearn.metrics import pairwise_distances_chunked

    start = 0
    for block in pairwise_distances_chunked(rows, columns, working_memory=_MEGABYTES):
        yield slice(start, start + len(block)), block
        start += len(block)


def _share(chosen: NDArray[np.bool_]) -> Estimate:
    share = float(chosen.mean())
    return Estimate(share, math.sqrt(share * (1 - share) / len(chosen)))
