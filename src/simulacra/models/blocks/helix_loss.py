"""How far generated clusters lie from the helix that the particle's momentum asks for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.detectors import TPC
from simulacra.transforms.tpc.ideal_rows import IdealRows
from simulacra.transforms.tpc.tracks import half_lengths, positions_of, presence_of

SQUARE_METRE = 1e6
"""In mm^2."""


class HelixLoss(nn.Module):
    """Mean squared distance (m^2) between generated clusters and the ideal helix in the same row.

    The ideal helix knows neither energy loss nor scattering. Its point in a row is where it first
    crosses the row's radius, so that the loss also teaches on which radius a row lies. A row counts
    as much as it is present, if the helix crosses it inside of the drift volume: the tables of full
    simulation hold in a row without a cluster what lies on the line between its neighbours, or go
    on as at the end of the track, which no helix does. Which rows have a cluster is left to the
    critics: the loss has no gradient with respect to presence.

    Args:
        detector: the chamber.

    References:
        The extra term of the "+" systems: Deja et al., EPJ Web of Conferences 214 (2019) 06003.
        Its form is not published in the texts that we have; this one is ours.
    """

    lengths: Tensor

    def __init__(self, detector: TPC) -> None:
        super().__init__()
        self.pad_rows = len(detector.row_radii)
        self.ideal = IdealRows(detector)
        self.register_buffer("lengths", half_lengths(detector), persistent=False)

    def forward(self, tables: Tensor, columns: Tensor) -> Tensor:
        """Return the loss of tables (n, rows, 4 or more) for conditions in physical units."""
        ideal = self.ideal(columns)
        tables = tables[:, : self.pad_rows]
        apart = positions_of(tables, self.lengths) - torch.stack([ideal.x, ideal.y, ideal.z], dim=2)
        crossed = ideal.reached & (ideal.z.abs() < self.lengths[2])
        weight = torch.where(crossed, presence_of(tables).detach(), 0.0)
        mean: Tensor = (weight * apart.square().sum(dim=2)).sum() / weight.sum().clamp_min(1)
        return mean / SQUARE_METRE
