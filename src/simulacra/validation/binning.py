"""Bins of an observable, derived from the reference sample alone.

Nothing is ever dropped: what lies outside the edges is counted in an underflow and an overflow bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray

FEWEST_BINS, MOST_BINS = 5, 60
TAIL = 0.001
"""Part of the reference beyond the outermost edges, per side, before these are moved outwards."""
ATOM_SHARE = 0.02
"""Part of the reference that an exact value needs to get a bin of its own."""


@dataclass(frozen=True, slots=True)
class Binning:
    """Ascending ``edges`` (n + 1,) of n bins."""

    edges: FloatArray

    def counts(self, values: FloatArray) -> IntArray:
        """Return how many finite values fall into underflow, the n bins and overflow (n + 2,)."""
        place = np.searchsorted(self.edges, values[np.isfinite(values)], side="right")
        return np.bincount(place, minlength=len(self.edges) + 1).astype(np.int64)


def binning_of(reference: FloatArray) -> Binning:
    """Return the bins for an observable whose reference values (n,) are given.

    Between the 0.1 % and 99.9 % quantiles, widened a little, the bins are of equal width; their
    number follows Rice's rule, 2 n^(1/3), so that the statistical floor of a score falls with n.
    Values that an observable takes exactly and often (a layer without energy has the width 0, one
    with a single hit cell has the ratio 1) get a narrow bin of their own: otherwise a generator
    that never leaves a layer empty would look right. A discrete observable gets a bin per value.

    Raises:
        ValueError: no value is finite.
    """
    values = reference[np.isfinite(reference)]
    if not len(values):
        msg = "a binning needs finite values"
        raise ValueError(msg)
    if np.ptp(values) <= 1e-9 * np.abs(values).max():  # rounding of a constant is no spread
        values = np.full_like(values, values[0])
    wanted = int(np.clip(np.ceil(2 * np.cbrt(len(values))), FEWEST_BINS, MOST_BINS))
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) > 1 and len(distinct) <= wanted and len(values) >= 4 * len(distinct):
        return Binning(_edges_between(distinct))
    atoms = _atoms(distinct, counts)
    body = values[~np.isin(values, atoms)]
    span = float(distinct[-1] - distinct[0])
    edges: FloatArray = _linear_edges(body, wanted, span) if len(body) else np.empty(0)
    for atom in atoms:
        half = max(1e-3 * span, 1e-6 * max(abs(float(atom)), 1.0))
        edges = edges[np.abs(edges - atom) > 2 * half]
        edges = np.sort(np.concatenate([edges, [atom - half, atom + half]]))
    return Binning(edges)


def _atoms(distinct: FloatArray, counts: IntArray) -> FloatArray:
    """Return the values among zero and both ends that occur often enough for their own bin."""
    often = counts >= max(5, ATOM_SHARE * counts.sum())
    special = np.isin(distinct, [0.0, distinct[0], distinct[-1]])
    return distinct if len(distinct) == 1 else distinct[often & special]


def _linear_edges(body: FloatArray, bins: int, span: float) -> FloatArray:
    low, high = np.quantile(body, [TAIL, 1 - TAIL])
    # values a rounding apart from the reference must not become outliers
    margin = max(0.02 * (high - low), 1e-3 * span, 1e-6 * max(abs(low), abs(high), 1.0))
    return np.linspace(low - margin, high + margin, bins + 1)


def _edges_between(distinct: FloatArray) -> FloatArray:
    middle = (distinct[1:] + distinct[:-1]) / 2
    first, last = 2 * distinct[0] - middle[0], 2 * distinct[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])
