"""How rows and columns of cells lie, seen from the impact of the particle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from simulacra.detectors import Layer
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation, PolarSegmentation
from simulacra.models.distributions.sinh_arcsinh import asinh_of_scores

CORE, HALO = 4.0, 20.0
"""Distances in mm around which positions are resolved: the core of an electromagnetic shower in a
dense calorimeter, and its halo."""
SCALES = (1 / CORE, 1 / HALO, 1 / (2 * CORE), 1 / HALO)
"""Of the near edge, which counts twice, of the far edge, and of the centre."""
SIDES = (-1.0, -1.0, 1.0, 0.0)
"""Where those lie between the centre and the edges."""
POSITION_FEATURES = len(SCALES)


class CellEdges(nn.Module):
    """Features of all rows and columns of cells, computed at once.

    Sectors of polar cells lie alike for all events: their angle says where.

    Args:
        grids: layers that are cut alike and their numbers in the detector, grid by grid.
        layers: how many layers the detector has.
    """

    place: Tensor
    centre: Tensor
    shift: Tensor
    scale: Tensor

    def __init__(self, grids: Sequence[tuple[Sequence[Layer], Sequence[int]]], layers: int) -> None:
        super().__init__()
        places, centres, halves = [], [], []
        self.shapes: list[tuple[int, int] | None] = []
        for number, (alike, numbers) in enumerate(grids):
            for axis in range(2):
                centre, half = _edges(alike[0], axis)
                if axis == 0 and isinstance(alike[0].segmentation, PolarSegmentation):
                    zero = torch.zeros_like(centre)
                    angle = torch.stack([centre.cos(), centre.sin(), zero, zero], dim=-1)
                    self.register_buffer(f"angle_{number}", angle[None, None], persistent=False)
                    self.shapes.append(None)
                    continue
                of_layers = torch.tensor(numbers) + axis * layers
                places.append(of_layers.repeat_interleave(len(centre)))
                centres.append(centre.repeat(len(numbers)))
                halves.append(half.repeat(len(numbers)))
                self.shapes.append((len(numbers), len(centre)))
        scale, half = torch.tensor(SCALES), torch.cat(halves)[:, None]
        self.register_buffer("place", torch.cat(places), persistent=False)
        self.register_buffer("centre", torch.cat(centres), persistent=False)
        self.register_buffer("shift", half * torch.tensor(SIDES) * scale, persistent=False)
        self.register_buffer("scale", scale, persistent=False)

    def forward(self, positions: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return for each grid how its rows and its columns lie (n, layers, rows, features).

        Args:
            positions: of the layers' windows relative to the impact, mm, (n, axes, layers).
        """
        distance = positions.flatten(1).index_select(1, self.place) + self.centre
        size = distance.abs()
        seen = torch.stack([size, size, size, distance], dim=-1)
        found = asinh_of_scores(torch.addcmul(self.shift, seen, self.scale)) / 2
        shapes = [shape for shape in self.shapes if shape is not None]
        parts = iter(torch.split(found, [layers * edges for layers, edges in shapes], dim=1))
        both = [
            self.get_buffer(f"angle_{number // 2}")
            if shape is None
            else next(parts).reshape(-1, *shape, POSITION_FEATURES)
            for number, shape in enumerate(self.shapes)
        ]
        return list(zip(both[::2], both[1::2], strict=True))


def _edges(layer: Layer, axis: int) -> tuple[Tensor, Tensor]:
    """Return centres and half sizes (cells,) along an axis: mm, or rad for the angle."""
    segmentation = layer.segmentation
    if isinstance(segmentation, CartesianSegmentation):
        n, size = layer.shape[axis], segmentation.cell[axis]
        centres = (np.arange(n) - (n - 1) / 2) * size
        halves = np.full(n, size / 2)
    elif axis == 1:
        edges = np.asarray(segmentation.r_edges)
        centres, halves = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    else:
        n = segmentation.alpha
        centres = -np.pi + (np.arange(n) + 0.5) * 2 * np.pi / n
        halves = np.full(n, np.pi / n)
    return torch.tensor(centres).float(), torch.tensor(halves).float()
