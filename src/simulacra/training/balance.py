"""How often a training event is drawn: rare energies more often, if the card asks for it."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import FloatArray, IntArray

BINS_PER_DOUBLING = 2


def energy_weights(energies: FloatArray, balance: float) -> FloatArray:
    """Return how often each event is drawn (n,), relative to the average event.

    Energies are counted in logarithmic bins, two per doubling, around the lowest one; an event of
    a bin with n events counts n^-balance. 0 leaves the sample as it is, with 1 each bin with events
    is drawn equally often. Fast simulation needs this, since full simulation of high energies is
    dear and their events are few.

    Args:
        energies: of the events (n,), in one unit.
        balance: between 0 and 1.
    """
    logarithm = np.log2(energies / energies.min()) * BINS_PER_DOUBLING
    bins: IntArray = np.floor(logarithm + 0.5).astype(np.int64)
    events = np.bincount(bins)[bins].astype(np.float64)
    weights: FloatArray = events**-balance
    weights /= weights.mean()
    return weights
