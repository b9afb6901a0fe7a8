"""Dense layers that make the cells of a calorimeter: the decoder of several published systems."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.networks import Factors, beside
from simulacra.transforms import FractionOfEnergy, Transform

Output = Literal["relu", "softplus"]
"""The last activation; neither leaves a negative energy, and only relu leaves an empty cell."""
FLOOR = 1e-5
"""Of the incident energy: cells that are never hit keep a finite scale."""


def fractions_of_energy(config: Frozen, detector: Detector) -> Transform:  # noqa: ARG001
    """Return the preprocessing of the dense systems: cells over the incident kinetic energy."""
    return FractionOfEnergy.of(detector)


class DenseShowers(nn.Module):
    """Noise and conditions to cell fractions, none negative.

    Args:
        layers: a chain from noise and conditions, joined in this order, to one number per cell.
        cells: number of cells.
        output: the last activation.
        conditional: whether the chain takes the conditions, or the noise alone.
    """

    cell_spread: Tensor

    def __init__(
        self, layers: nn.Sequential, cells: int, output: Output, *, conditional: bool = True
    ) -> None:
        super().__init__()
        self.layers = layers
        self.conditional = conditional
        self.activation = nn.ReLU() if output == "relu" else nn.Softplus()
        self.register_buffer("cell_spread", torch.ones(cells))

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return cell fractions (n, cells)."""
        inputs = beside(noise, conditions) if self.conditional else noise
        cells: Tensor = self.activation(self.layers(inputs))
        return cells * self.cell_spread

    def fit(self, features: Tensor) -> None:
        """Scale the outputs to the spread of the training cells (n, cells).

        The spreads of hot and far cells differ by 10^4; without this the last layer has to learn
        that first.
        """
        self.cell_spread.copy_(features.std(dim=0) + FLOOR)

    def chain(self) -> nn.Sequential:
        """Return everything as one chain from noise and conditions, joined, to cells."""
        return nn.Sequential(*self.layers, self.activation, Factors(self.cell_spread))
