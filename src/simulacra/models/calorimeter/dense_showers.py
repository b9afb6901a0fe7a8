"""Dense layers that make the cells of a calorimeter: the decoder of several published systems."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from simulacra.models.blocks.networks import Factors, beside

Output = Literal["relu", "softplus"]
"""The last activation; neither leaves a negative energy, and only relu leaves an empty cell."""
FLOOR = 1e-5
"""Of the incident energy: cells that are never hit keep a finite scale."""


class DenseShowers(nn.Module):
    """Noise and conditions to cell fractions, none negative.

    Args:
        layers: a chain from noise and conditions, joined in this order, to one number per cell.
        cells: number of cells.
        conditions: how many of the conditions the chain takes, the first ones; may be none.
        output: the last activation.
    """

    cell_spread: Tensor

    def __init__(self, layers: nn.Sequential, cells: int, conditions: int, output: Output) -> None:
        super().__init__()
        self.layers = layers
        self.conditions = conditions
        self.activation = nn.ReLU() if output == "relu" else nn.Softplus()
        self.register_buffer("cell_spread", torch.ones(cells))

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return cell fractions (n, cells)."""
        joined = beside(noise, conditions[:, : self.conditions])
        cells: Tensor = self.activation(self.layers(joined))
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
