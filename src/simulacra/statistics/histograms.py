"""Histograms of an observable: bins, derived from the reference alone, and chi2 of two of them.

Nothing is ever dropped: what lies outside the edges is counted in an underflow and an overflow bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray, IntArray
from simulacra.statistics.rounding import is_constant

FEWEST_BINS, MOST_BINS = 5, 60
TAIL = 0.001
"""Part of the reference beyond the outermost edges, per side, before these are moved outwards."""
ATOM_SHARE = 0.02
"""Part of the reference that an exact value needs to get a bin of its own."""
FEWEST_PER_BIN = 10
"""Entries of both samples together that a bin needs before chi2 trusts its Gaussian error."""


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
    if is_constant(values):  # rounding is no spread
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


def chi2_of_counts(p: NDArray[np.number], q: NDArray[np.number]) -> tuple[float, int]:
    r"""Return :math:`\chi^2` of two histograms of counts (bins,), and its degrees of freedom.

    :math:`\sum_i (\sqrt{M/N} p_i - \sqrt{N/M} q_i)^2 / (p_i + q_i)` with N, M the numbers of
    entries; neighbouring bins are joined until each holds ``FEWEST_PER_BIN`` entries.

    References:
        N. Gagunashvili (2006), arXiv:physics/0605123.
    """
    first = joined_bins(p + q)
    a, b = np.add.reduceat(p, first), np.add.reduceat(q, first)
    return float(chi2_of(a, b)), len(first) - 1


def joined_bins(total: NDArray[np.number]) -> list[int]:
    """Return the first of the bins that are joined, given the contents of both samples (bins,)."""
    first, filling = [0], 0
    for i, count in enumerate(total.tolist()):
        if filling >= FEWEST_PER_BIN:
            first.append(i)
            filling = 0
        filling += int(count)
    if filling < FEWEST_PER_BIN and len(first) > 1:
        first.pop()
    return first


def chi2_of(a: NDArray[np.number], b: NDArray[np.number]) -> FloatArray:
    """Return chi2 of histograms (..., bins) of which no bin is empty in both."""
    scale = np.sqrt(b.sum(axis=-1, keepdims=True) / a.sum(axis=-1, keepdims=True))
    terms: FloatArray = (scale * a - b / scale) ** 2 / (a + b)
    return np.asarray(terms.sum(axis=-1))
