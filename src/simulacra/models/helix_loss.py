"""How far generated clusters lie from the helix that the particle's momentum asks for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.detectors import Tpc
from simulacra.helix import crossings, helix_of
from simulacra.transforms.tracks import half_lengths, positions_of

SQUARE_METRE = 1e6
"""In mm^2."""


class HelixLoss(nn.Module):
    """Mean squared distance (m^2) between generated clusters and the ideal helix in the same row.

    The ideal helix knows neither energy loss nor scattering. Its point in a row is where it first
    crosses the row's radius, so that the loss also teaches on which radius a row lies. All rows
    count that the helix crosses inside of the drift volume; which of them have a cluster is left to
    the critics.

    Args:
        detector: the chamber.

    References:
        The extra term of the "+" systems: Deja et al., EPJ Web of Conferences 214 (2019) 06003.
        Its form is not published in the texts that we have; this one is ours.
    """

    radii: Tensor
    lengths: Tensor

    def __init__(self, detector: Tpc) -> None:
        super().__init__()
        self.names = list(detector.conditions)
        self.species = detector.conditions["pdg"].categories or ()
        self.magnetic_field = detector.magnetic_field
        radii = torch.from_numpy(detector.row_radii).float()
        self.register_buffer("radii", radii, persistent=False)
        self.register_buffer("lengths", half_lengths(detector), persistent=False)

    def forward(self, tables: Tensor, columns: Tensor) -> Tensor:
        """Return the loss of tables (n, rows, 4 or more) for conditions in physical units."""
        particle = dict(zip(self.names, columns.unbind(dim=1), strict=True))
        ideal = crossings(helix_of(particle, self.species, self.magnetic_field), self.radii)
        tables = tables[:, : len(self.radii)]
        apart = positions_of(tables, self.lengths) - torch.stack([ideal.x, ideal.y, ideal.z], dim=2)
        valid = ideal.reached & (ideal.z.abs() < self.lengths[2])
        squares = torch.where(valid, apart.square().sum(dim=2), 0.0)
        mean: Tensor = squares.sum() / valid.sum().clamp_min(1)
        return mean / SQUARE_METRE
