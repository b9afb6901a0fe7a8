"""Separation power: the distance of two histograms, 0 for equal and 1 for disjoint ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray
from simulacra.statistics.histograms import binning_of
from simulacra.validation.metrics.record import Estimate


def separation(p: NDArray[np.number], q: NDArray[np.number]) -> FloatArray:
    r"""Return the separation power of histograms, 0 for equal and 1 for disjoint ones.

    :math:`S = \frac{1}{2} \sum_i (p_i - q_i)^2 / (p_i + q_i)` of the contents, each normalised to
    sum 1, the triangular discrimination. The official CaloChallenge code drops entries beyond the
    edges before it normalises, so that tails that escape the axis score perfectly; here the first
    and last bin are the under- and overflow, and they count.

    Args:
        p: contents (..., bins), not normalised; the leading axes broadcast.
        q: likewise.

    Returns:
        One value for each histogram.

    References:
        S. Diefenbacher et al. (2020), arXiv:2009.03796, eq. 15.
    """
    p = p / p.sum(axis=-1, keepdims=True)
    q = q / q.sum(axis=-1, keepdims=True)
    total = p + q
    terms = np.divide((p - q) ** 2, total, out=np.zeros_like(total), where=total > 0)
    result: FloatArray = np.asarray(0.5 * terms.sum(axis=-1))
    return result


def separation_power(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return the separation power in the bins of the reference, with under- and overflow."""
    binning = binning_of(reference)
    return Estimate(float(separation(binning.counts(reference), binning.counts(generated))))
