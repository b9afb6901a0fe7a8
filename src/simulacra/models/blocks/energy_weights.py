"""How much a training event counts: one of a rare energy more than one of many."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BINS = 64
WIDTH = 0.3
"""Of a bin, in standard deviations of the logarithm of the energy."""


class EnergyWeights(nn.Module):
    """Weights of events by how many the training sample has of their energy.

    Full simulation of high energies is dear and its events are few, so that what is learned there
    would be what is learned elsewhere, carried on. An event of an energy with n events in its bin
    counts n^-power, one on average.

    Args:
        power: 0 for equal weights, 1 for equally important energies.
    """

    lowest: Tensor
    weights: Tensor

    def __init__(self, power: float) -> None:
        super().__init__()
        self.power = power
        self.register_buffer("lowest", torch.zeros(()))
        self.register_buffer("weights", torch.ones(BINS))

    def fit(self, energies: Tensor) -> None:
        """Count the training events; ``energies`` are standardised logarithms (n,)."""
        self.lowest.copy_(energies.min() - WIDTH / 2)
        bins = self._bins(energies)
        counts = torch.bincount(bins, minlength=BINS).double()
        weights = torch.where(counts > 0, counts, torch.inf) ** -self.power
        self.weights.copy_(weights / weights[bins].mean())

    def forward(self, energies: Tensor) -> Tensor:
        """Return the weights (n,) of events."""
        return self.weights[self._bins(energies)]

    def _bins(self, energies: Tensor) -> Tensor:
        return ((energies - self.lowest) / WIDTH).long().clamp(0, BINS - 1)
