"""Turns about the beam: rings of sectors around a particle's line look alike from every side."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Generator, Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.detectors.segmentation import PolarSegmentation, Segmentation
from simulacra.transforms.layers import LayersOfCells

UNTURNED = {"energy"}
"""Conditions that are the same for an event that is turned."""
UNMIRRORED = {"energy", "theta"}
"""Conditions that are the same for an event mirrored at the plane of incidence, alpha = 0."""
TURNS_OF_SQUARES = 4
"""Ways to turn a lattice of squares into itself."""


class Turns(nn.Module):
    """Turns training events by random sectors, and mirrors half of them.

    Polar cells lie around the particle's line. Where nothing but the energy is given, an event is
    as likely however it is turned about that line, by whole sectors of all layers, and mirrored;
    where the particle comes in under an angle, only mirrored at the plane of incidence. Sectors
    that are filled from squares turn by quarters. What learns from turned events learns from as
    many as if there were two for each turn.

    Args:
        detector: a calorimeter; unless all its layers are polar, nothing is turned.

    Attributes:
        orders: which cell each cell becomes, (turns, cells), of those not alone in their layer.
    """

    orders: Tensor

    def __init__(self, detector: Calorimeter) -> None:
        super().__init__()
        of_layers = LayersOfCells(detector)
        orders = np.array([np.arange(detector.n_cells)])
        given = set(detector.conditions)
        if all(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers):
            if given <= UNTURNED and detector.beam.theta == (0.0, 0.0):
                orders = _turned(detector)
            if given <= UNMIRRORED:
                orders = np.concatenate([orders, orders[:, _mirrored(detector)]])
        shared = of_layers.place[torch.from_numpy(orders)][:, of_layers.shared]
        self.register_buffer("orders", shared, persistent=False)

    def turn(self, cells: Tensor, rng: Generator) -> Tensor:
        """Return cells (n, cells) of each event turned in one of all ways, drawn at random."""
        if len(self.orders) == 1:
            return cells
        chosen = torch.randint(len(self.orders), (len(cells),), generator=rng)
        return cells.gather(1, self.orders[chosen.to(cells.device)])


def _turned(detector: Calorimeter) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
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


def _mirrored(detector: Calorimeter) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the cells of events with alpha and -alpha exchanged."""
    order = np.arange(detector.n_cells)
    for layer in detector.layers:
        order[layer.cells] = np.flip(order[layer.cells].reshape(layer.shape), axis=0).ravel()
    return order
