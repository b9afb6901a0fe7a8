"""Where the helices that conditions promise meet the pad rows, and which rows the end plate cuts.

A chamber ends at its two end plates: a row that a track meets behind one of them has no cluster.
The inverse of every transform of tracks leaves those rows empty, by :func:`inside_drift_volume`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.detectors import TPC
from simulacra.helix import Crossings, crossings, helix_of


def inside_drift_volume(z: Tensor, drift_length: float) -> Tensor:
    """Return 1 where points lie between the end plates, else 0, for z of any shape in mm."""
    return (z.abs() <= drift_length).to(z.dtype)


class IdealRows(nn.Module):
    """Crossings (n, rows) of pad rows by ideal helices, without energy loss and scattering.

    Args:
        detector: a time-projection chamber.
    """

    radii: Tensor

    def __init__(self, detector: TPC) -> None:
        super().__init__()
        self.names = tuple(detector.conditions)
        self.species = detector.conditions["pdg"].categories or ()
        self.magnetic_field = detector.magnetic_field
        radii = torch.from_numpy(detector.row_radii).float()
        self.register_buffer("radii", radii, persistent=False)

    def forward(self, columns: Tensor) -> Crossings:
        """Return the crossings for conditions (n, columns) in physical units."""
        particle = dict(zip(self.names, columns.unbind(dim=1), strict=True))
        return crossings(helix_of(particle, self.species, self.magnetic_field), self.radii)
