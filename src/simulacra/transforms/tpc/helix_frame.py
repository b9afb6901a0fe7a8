"""Tracks as deviations from the ideal helix of their conditions.

The features of a track are the five parameters of :mod:`.effective_helix`, by
which its effective helix differs from the ideal one, and (channels, rows) flattened, the
channels in the order of :class:`Channel`:

    present   1 where the row has a cluster, else 0 and so are the others
    r_phi     distance from the effective circle in the transverse plane, mm; positive outside of it
    z         residual to the effective helix at the same turning angle, mm
    charge    log(q / ADC)
    peak      log(q_max / q)
    turned    1 where the cluster lies beyond the circle's farthest point from the axis, else 0

Distances from the circle, unlike residuals at a fixed radius, stay small and smooth where a track
of low momentum turns back, and they do not depend on the signs of charge and azimuth. z is
mirrored where the particle flies to negative z, because the chamber is symmetric. On the way
back, a cluster lies where the circle of that distance crosses the row: the first time, or for
``turned`` the second, which only secondaries of decays do.
"""

from __future__ import annotations

from enum import IntEnum

import torch
from torch import Generator, Tensor, nn

from simulacra.detectors import TPC
from simulacra.helix import CURVATURE_PER_TESLA, Crossings, Helix, charges, crossings
from simulacra.transforms.base import Response, Slices, slices_of
from simulacra.transforms.tpc.circle_crossings import crossings_beside
from simulacra.transforms.tpc.effective_helix import (
    PARAMETERS,
    effective_helix,
    fitted_parameters,
    residuals,
)
from simulacra.transforms.tpc.ideal_rows import inside_drift_volume


class Channel(IntEnum):
    """The channels of a row, in order."""

    PRESENT = 0
    R_PHI = 1
    Z = 2
    CHARGE = 3
    PEAK = 4
    TURNED = 5


RESIDUALS = slice(Channel.R_PHI, Channel.Z + 1)
"""The two channels of residuals to the effective helix."""
HELIX, ROWS = "helix", "rows"
"""Blocks of features: the helix's parameters, and (channels, rows) flattened."""
LEAST_CHARGE = 1e-3
"""ADC; clusters have more."""


class HelixFrame(nn.Module):
    """Clusters (n, rows, 5) in mm and ADC to features (n, 5 + 6 rows) and back.

    Args:
        detector: a time-projection chamber.
    """

    radii: Tensor
    codes: Tensor
    charges: Tensor

    def __init__(self, detector: TPC) -> None:
        super().__init__()
        self.names = tuple(detector.conditions)
        self.species = detector.conditions["pdg"].categories or ()
        codes = torch.tensor(self.species, dtype=torch.float32)
        self.register_buffer("codes", codes, persistent=False)
        self.register_buffer("charges", charges(codes, self.species, codes), persistent=False)
        self.magnetic_field = detector.magnetic_field
        self.drift_length = detector.drift_length
        self.innermost = float(detector.row_radii[0])
        radii = torch.from_numpy(detector.row_radii).float()
        self.register_buffer("radii", radii, persistent=False)

    @property
    def slices(self) -> Slices:
        """Where the features of :data:`HELIX` and those of :data:`ROWS` stand."""
        return slices_of([(HELIX, PARAMETERS), (ROWS, len(Channel) * len(self.radii))])

    def helix(self, columns: Tensor) -> Helix:
        """Return the ideal helices of conditions (n, columns), mirrored to fly to positive z."""
        named = dict(zip(self.names, columns.unbind(1), strict=True))
        side = self.side(columns)[:, 0]
        charge = (named["pdg"][:, None] == self.codes).to(columns.dtype) @ self.charges.to(columns)
        bending = -CURVATURE_PER_TESLA * self.magnetic_field
        return Helix(
            x=named["vertex_x"],
            y=named["vertex_y"],
            z=named["vertex_z"] * side,
            phi=named["phi"],
            curvature=bending * charge / named["transverse_momentum"],
            tan_lambda=(named["pseudorapidity"] * side).sinh(),
        )

    def side(self, columns: Tensor) -> Tensor:
        """Return +1 or -1 (n, 1): to which side in z the particles fly."""
        pseudorapidity = columns[:, self.names.index("pseudorapidity"), None]
        return torch.where(pseudorapidity < 0, -1.0, 1.0).to(columns.dtype)

    def middle(self, ideal: Helix, present: Tensor) -> Tensor:
        """Return the path (n,) on ideal helices to the mean radius of the rows with a cluster."""
        radius = (present @ self.radii.to(present.dtype)) / present.sum(dim=1).clamp_min(1)
        radius = radius.clamp_min(self.innermost)[:, None]
        return path_to(ideal, crossings(ideal, radius), radius)[:, 0]

    def fit(self, response: Response, columns: Tensor) -> None:
        """Do nothing: the conditions say it all."""

    def forward(self, response: Response, columns: Tensor) -> Tensor:
        """Return features (n, 5 + 6 rows) of clusters."""
        clusters, columns = response["clusters"].double(), columns.double()
        mirror = torch.ones_like(clusters[:, :1])
        mirror[..., 2] = self.side(columns)
        clusters = clusters * mirror
        present = (response["cluster_mask"] > 0).double()
        ideal = self.helix(columns)
        radii, middle = self.radii.double(), self.middle(ideal, present)
        path = path_to(ideal, crossings(ideal, radii), radii)
        parameters = fitted_parameters(ideal, path, middle, clusters[..., :3], present)
        helix = effective_helix(ideal, middle, parameters)
        r_phi, z, turned = residuals(helix, clusters[..., :3])
        charge = clusters[..., 3].clamp_min(LEAST_CHARGE).log()
        peak = clusters[..., 4].clamp_min(LEAST_CHARGE).log()
        channels = [
            torch.ones_like(r_phi),
            r_phi,
            z,
            charge,
            peak - charge,
            turned.double(),
        ]
        values = torch.where(present[:, None] > 0, torch.stack(channels, dim=1), 0.0)
        return torch.cat([parameters, values.flatten(1)], dim=1).float()

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:  # noqa: ARG002
        """Return the features: nothing in them is discrete but what is meant to be."""
        return features

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return clusters and their mask; a row without a cluster holds zeros.

        A helix that does not come as far as its last cluster bends less
        (:func:`effective_helix`). A circle that does not reach a row leaves no cluster there, nor
        does one that meets it behind an end plate, nor a particle that starts behind one.
        """
        parameters, values = (features[:, self.slices[name]] for name in (HELIX, ROWS))
        values = values.view(-1, len(Channel), len(self.radii))
        present, r_phi, z, charge, peak, turned = values.unbind(1)
        ideal = self.helix(columns)
        farthest = ((self.radii - r_phi) * present).amax(dim=1)
        helix = effective_helix(ideal, self.middle(ideal, present), parameters, farthest)
        place = crossings_beside(helix, r_phi, turned, self.radii)
        z = place.z + z
        inside = inside_drift_volume(z, self.drift_length)
        inside = inside * inside_drift_volume(ideal.z[:, None], self.drift_length)
        present = present * place.reached * inside
        q = charge.exp()
        channels = [place.x, place.y, z * self.side(columns), q, q * peak.exp()]
        clusters = (torch.stack(channels, dim=1) * present[:, None]).mT
        return {"clusters": clusters, "cluster_mask": present}


def path_to(helix: Helix, place: Crossings, radii: Tensor) -> Tensor:
    """Return the path (n, rows) to crossings of radii in mm; where none is reached, it goes on."""
    size = helix.curvature.abs().clamp_min(1e-12)[:, None]
    path: Tensor = place.angle.abs() / size + (radii - 2 / size).clamp_min(0.0)
    return path
