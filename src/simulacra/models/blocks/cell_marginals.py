"""Distributions of all cells from where they lie around the impact.

What a cell holds depends on how far it is from the particle, on its layer and its size, and on the
event; not on its number. So small networks look at the edges of rows and columns of cells, seen
from the impact, and one more at the event; products of what they say, summed over ``rank`` terms,
are the parameters of each cell's distribution. A few thousand showers teach that, since each cell
of each is an example, and it costs a fraction of a dense layer.
"""

from __future__ import annotations

from itertools import groupby

import torch
from torch import Tensor, nn

from simulacra.detectors import Calorimeter, Layer
from simulacra.models.blocks.cell_edges import POSITION_FEATURES, CellEdges
from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.marginals import Marginals, parameters

TYPICAL_SPREAD = 3.0
"""Of the logarithm of a cell's fraction; where training starts."""


class CellMarginals(nn.Module):
    """One :class:`Marginals` for the cells of each event.

    Args:
        detector: a calorimeter.
        context: number of inputs that describe the event.
        width: hidden units of the networks.
        rank: terms in the product of row, column and event.
        maps: that take a cell's value to its normal score.
        still: whether the cells lie alike around the particles of all events.
    """

    centre: Tensor
    spread: Tensor
    occupancy: Tensor

    def __init__(
        self,
        detector: Calorimeter,
        context: int,
        width: int,
        rank: int,
        maps: int,
        *,
        still: bool,
    ) -> None:
        super().__init__()
        shared = [layer for layer in detector.layers if layer.shape != (1, 1)]
        numbers = [detector.layers.index(layer) for layer in shared]
        grouped = groupby(zip(shared, numbers, strict=True), key=lambda pair: _grid(pair[0]))
        grids = [
            ([layer for layer, _ in pairs], [number for _, number in pairs])
            for _, group in grouped
            for pairs in [list(group)]
        ]
        self.still = still
        self.edges = CellEdges(grids, len(detector.layers))
        self.grids = nn.ModuleList(
            GridOfCells(alike[0].shape, len(alike), width, rank, still=still) for alike, _ in grids
        )
        self.rank, self.layers = rank, len(shared)
        self.parameters_of_cell = parameters(maps)
        outputs = self.layers * self.parameters_of_cell * (rank + 1)
        self.event = dense((context, 2 * width, outputs), nn.SiLU)
        last = self.event[-1]
        assert isinstance(last, nn.Linear)
        nn.init.normal_(last.weight, std=0.02)
        nn.init.zeros_(last.bias)
        cells = sum(layer.shape[0] * layer.shape[1] for layer in shared)
        self.register_buffer("centre", torch.zeros(cells))
        self.register_buffer("spread", torch.full((cells,), TYPICAL_SPREAD))
        self.register_buffer("occupancy", torch.zeros(cells), persistent=False)

    def fit(self, values: Tensor) -> None:
        """Set the typical value of each layer from training values (n, cells), -inf where empty."""
        full = torch.isfinite(values)
        start = 0
        for grid in self.grids:
            assert isinstance(grid, GridOfCells)
            for _ in range(grid.layers):
                here = slice(start, start + grid.shape[0] * grid.shape[1])
                some = values[:, here][full[:, here]]
                self.centre[here] = some.mean() if len(some) else 0.0
                start = here.stop

    def forward(self, context: Tensor, positions: Tensor) -> Marginals:
        """Return the distributions.

        Args:
            context: what describes the event (n, context).
            positions: of the layers' windows relative to the impact, mm, (n, axes, layers).
        """
        event = self.event(context).view(-1, self.layers, self.parameters_of_cell, self.rank + 1)
        # where cells lie alike for all events, one event stands for all
        edges = self.edges(positions[:1] if self.still else positions)
        parts, start = [], 0
        for grid, (rows, columns) in zip(self.grids, edges, strict=True):
            assert isinstance(grid, GridOfCells)
            stop = start + grid.layers
            parts.append(grid(event[:, start:stop], rows, columns))
            start = stop
        outputs = torch.cat(parts, dim=1)
        return Marginals.of(outputs, self.centre, self.spread, self.occupancy)


class GridOfCells(nn.Module):
    """Neighbouring layers that are cut alike.

    Args:
        shape: rows and columns of cells in each.
        layers: how many they are.
        width: hidden units.
        rank: terms in the product.
        still: whether they lie alike for all events.
    """

    def __init__(
        self, shape: tuple[int, int], layers: int, width: int, rank: int, *, still: bool
    ) -> None:
        super().__init__()
        self.shape, self.layers, self.still = shape, layers, still
        self.rows, self.columns = (
            dense((POSITION_FEATURES, width, rank), nn.SiLU) for _ in range(2)
        )

    def forward(self, event: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Return outputs (n, cells, p).

        Args:
            event: what the event says (n, layers, p, rank + 1).
            rows: how the rows of cells lie (n, layers, rows, features).
            columns: likewise.
        """
        weights, offset = event[..., :-1], event[..., -1]
        rows, columns = self.rows(rows), self.columns(columns)
        if self.still:
            products = (rows[0, 0, :, None] * columns[0, 0]).flatten(0, 1)  # (cells, rank)
            found: Tensor = weights @ products.T + offset[..., None]
            return found.mT.flatten(1, 2)
        steered = columns[:, :, :, None] * weights[:, :, None]  # (n, layers, columns, p, rank)
        outputs: Tensor = rows @ steered.flatten(2, 3).mT  # (n, layers, rows, columns * p)
        outputs = outputs.view(-1, self.layers, *self.shape, event.shape[2])
        return (outputs + offset[:, :, None, None]).flatten(1, 3)


def _grid(layer: Layer) -> tuple[tuple[int, int], str]:
    return layer.shape, layer.segmentation.model_dump_json()
