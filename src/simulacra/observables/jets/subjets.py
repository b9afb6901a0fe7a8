"""The two axes of a jet: exclusive k_T clustering to two subjets, winner takes all.

Pairs with the least min(pT_i, pT_j)^2 R_ij^2 are merged, in the direction of the harder one, until
two are left, as LAGAN's tau_2 has it (arXiv:1701.05927 and its code).
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray


def two_axes(pt: FloatArray, places: IntArray, squares: FloatArray) -> IntArray:
    """Return which two pixels (n, 2) of each jet are left; the same one twice if there is but one.

    A pair stays the nearest of a pixel until one of the two is merged: merging moves no direction
    and only raises momenta, and so distances. Nearest pairs are therefore kept between merges.

    Args:
        pt: momenta (n, m), zeros where a list has ended.
        places: of the pixels in the image (n, m).
        squares: squared distances of all pixels of an image.
    """
    pt, n = pt.copy(), len(pt)
    alive = pt > 0
    left = alive.sum(axis=1)
    nearest = np.full(pt.shape, np.inf)
    partner = np.zeros(pt.shape, np.int64)
    rows, columns = np.nonzero(alive & (left > 2)[:, None])
    _look_up(rows, columns, pt, alive, places, squares, nearest, partner)
    busy = np.flatnonzero(left > 2)
    while len(busy):
        first = nearest[busy].argmin(axis=1)
        second = partner[busy, first]
        swap = pt[busy, second] > pt[busy, first]
        hard, soft = np.where(swap, second, first), np.where(swap, first, second)
        pt[busy, hard] += pt[busy, soft]
        pt[busy, soft], alive[busy, soft], nearest[busy, soft] = 0.0, False, np.inf
        left[busy] -= 1
        busy, hard, soft = (x[left[busy] > 2] for x in (busy, hard, soft))
        theirs = partner[busy]
        stale = (theirs == hard[:, None]) | (theirs == soft[:, None])
        stale[np.arange(len(busy)), hard] = True
        index, columns = np.nonzero(stale & alive[busy])
        _look_up(busy[index], columns, pt, alive, places, squares, nearest, partner)
    order = np.argsort(-pt, axis=1, kind="stable")[:, :2]
    axes = order if order.shape[1] == 2 else np.repeat(order, 2, axis=1)
    both: IntArray = np.where(left[:, None] > 1, axes, axes[:, :1])
    assert len(both) == n
    return both


def _look_up(
    rows: IntArray,
    columns: IntArray,
    pt: FloatArray,
    alive: BoolArray,
    places: IntArray,
    squares: FloatArray,
    nearest: FloatArray,
    partner: IntArray,
) -> None:
    """Write down the nearest partner of some pixels (k,) of jets ``rows``."""
    step = max(1, 4_000_000 // max(pt.shape[1], 1))
    for start in range(0, len(rows), step):
        row, column = rows[start : start + step], columns[start : start + step]
        softer = np.minimum(pt[row], pt[row, column][:, None])
        distance = softer**2 * squares[places[row, column][:, None], places[row]]
        distance[~alive[row]] = np.inf
        distance[np.arange(len(row)), column] = np.inf
        best = distance.argmin(axis=1)
        partner[row, column] = best
        nearest[row, column] = distance[np.arange(len(row)), best]
