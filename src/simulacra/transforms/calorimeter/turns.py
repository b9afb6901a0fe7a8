"""Turns about the beam: rings of sectors around a particle's line look alike from every side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from simulacra.arrays import IntArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation, Segmentation
from simulacra.transforms.calorimeter.layers import LayersOfCells
from simulacra.transforms.calorimeter.symmetries import (
    TURNS,
    flipped_by,
    mirror_of,
    mirrored_cells,
    symmetries_or_earlier,
)
from simulacra.transforms.drawn import integers

TURNS_OF_SQUARES = 4
"""Ways to turn a lattice of squares into itself."""


class Turns(nn.Module):
    """Turns training events by random sectors, and mirrors half of them.

    Where rings lie around the particle's line and nothing but the energy is given, an event is as
    likely however it is turned about that line, by whole sectors of all layers, and mirrored; where
    the particle comes in under an angle, only mirrored at the plane of incidence. Sectors that are
    filled from squares turn by quarters. What learns from turned events learns from as many as if
    there were two for each turn. A mirror that changes a condition is not drawn at random:
    :class:`simulacra.transforms.Reflections` use it.

    Args:
        detector: a calorimeter; unless all its layers are polar, nothing is turned.
        symmetries: which to use; None: those of simulators that do not say it.

    Attributes:
        orders: which cell each cell becomes, (turns, cells), of those not alone in their layer.
    """

    orders: Tensor

    def __init__(self, detector: Calorimeter, symmetries: Sequence[str] | None = None) -> None:
        super().__init__()
        of_layers = LayersOfCells(detector)
        orders = orders_of(detector, symmetries_or_earlier(detector, symmetries))
        shared = of_layers.place[torch.from_numpy(orders)][:, of_layers.shared]
        self.register_buffer("orders", shared, persistent=False)

    def turn(self, cells: Tensor, rng: Generator) -> Tensor:
        """Return cells (n, cells) of each event turned in one of all ways, drawn at random."""
        if len(self.orders) == 1:
            return cells
        chosen = integers(len(self.orders), len(cells), rng, cells.device)
        return cells.gather(1, self.orders[chosen])


def orders_of(detector: Calorimeter, symmetries: Sequence[str]) -> IntArray:
    """Return which cell each cell becomes (turns, cells) in all that is drawn at random."""
    orders = np.array([np.arange(detector.n_cells)])
    if not all(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers):
        return orders
    if TURNS in symmetries:
        orders = _turned(detector)
    for axis in range(2):
        if mirror_of(detector, axis) in symmetries and not flipped_by(detector, axis):
            orders = np.concatenate([orders, orders[:, mirrored_cells(detector, axis)]])
    return orders


def _turned(detector: Calorimeter) -> IntArray:
    """Return the cells of events turned by 0, 1, … of the widest sectors that fit all layers."""
    sectors = [layer.shape[0] for layer in detector.layers if layer.shape[0] > 1]
    squares = [TURNS_OF_SQUARES for layer in detector.layers if _of_squares(layer.segmentation)]
    turns = math.gcd(*sectors, *squares) or 1
    orders = np.tile(np.arange(detector.n_cells), (turns, 1))
    for layer in detector.layers:
        if layer.shape[0] == 1:  # rings without sectors
            continue
        step = layer.shape[0] // turns
        for turn, order in enumerate(orders):
            order[layer.cells] = np.roll(
                order[layer.cells].reshape(layer.shape), turn * step, axis=0
            ).ravel()
    return orders


def _of_squares(segmentation: Segmentation) -> bool:
    return isinstance(segmentation, PolarSegmentation) and segmentation.squares is not None
