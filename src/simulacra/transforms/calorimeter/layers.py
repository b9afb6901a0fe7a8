"""Which cell belongs to which layer, as tensors."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.transforms.base import Slices, slices_of

ENERGIES, CELLS = "energies", "cells"
"""Blocks of features of the transforms by layers: one a layer, one a cell that shares a layer."""
RESPONSE, OTHERS = "response", "others"
"""Blocks of the energies: the total energy, and how the layers divide it."""


class LayersOfCells(nn.Module):
    """Sums over the cells of a layer, and back.

    Args:
        detector: a calorimeter; layers may have any number of cells.

    Attributes:
        sizes: cells of each layer.
        layers: number of layers.
        cells: number of cells that are not alone in their layer.
        layer_of_cell: (n_cells,).
        shared: whether a cell is not alone in its layer (n_cells,).
        place: where a cell stands among those, or ``cells`` where it is alone.
    """

    layer_of_cell: Tensor
    shared: Tensor
    place: Tensor

    def __init__(self, detector: Calorimeter) -> None:
        super().__init__()
        self.sizes = [math.prod(layer.shape) for layer in detector.layers]
        sizes = torch.tensor(self.sizes)
        self.layers, self.cells = len(self.sizes), sum(size for size in self.sizes if size > 1)
        layer_of_cell = torch.repeat_interleave(torch.arange(self.layers), sizes)
        shared = sizes[layer_of_cell] > 1
        place = torch.where(shared, shared.cumsum(0) - 1, self.cells)
        # all of this follows from the detector and is no state
        self.register_buffer("layer_of_cell", layer_of_cell, persistent=False)
        self.register_buffer("shared", shared, persistent=False)
        self.register_buffer("place", place, persistent=False)

    @property
    def slices(self) -> Slices:
        """Where :data:`ENERGIES` (layers) and :data:`CELLS` (cells) stand beside one another.

        The energies are the :data:`RESPONSE` (1) and :data:`OTHERS` (layers - 1).
        """
        parts = slices_of([(RESPONSE, 1), (OTHERS, self.layers - 1)])
        return {**parts, **slices_of([(ENERGIES, self.layers), (CELLS, self.cells)])}

    def sums(self, cells: Tensor) -> Tensor:
        """Return the sum over the cells of each layer (n, layers)."""
        parts = torch.split(cells, self.sizes, dim=1)
        return torch.cat([part.sum(dim=1, keepdim=True) for part in parts], dim=1)

    def highest(self, cells: Tensor) -> Tensor:
        """Return the highest of the cells of each layer (n, layers)."""
        parts = torch.split(cells, self.sizes, dim=1)
        return torch.cat([part.amax(dim=1, keepdim=True) for part in parts], dim=1)

    def spread(self, layers: Tensor) -> Tensor:
        """Return for each cell (n, n_cells) the value of its layer."""
        return layers[:, self.layer_of_cell]

    def normalised_exponentials(self, logarithms: Tensor) -> Tensor:
        """Return fractions of the layers (n, n_cells) for the cells that share one (n, cells)."""
        parts, start = [], 0
        for size in self.sizes:
            if size == 1:  # all of its layer
                parts.append(torch.ones_like(logarithms[:, :1]))
            else:
                parts.append(logarithms[:, start : start + size].softmax(dim=1))
                start += size
        return torch.cat(parts, dim=1)
