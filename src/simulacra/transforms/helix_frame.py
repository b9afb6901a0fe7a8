"""Tracks as deviations from the helix that their conditions promise.

The features are (n, channels, rows), the channels in the order of :data:`CHANNELS`:

    present   1 where the row has a cluster, else 0 and so are the others
    across    distance from the helix's circle in the transverse plane, mm; positive outside of it
    along_z   z beside the helix at the same turning angle, mm; mirrored where the particle flies
              to negative z, because the chamber is symmetric
    charge    log(q / ADC)
    peak      log(q_max / q)
    turned    1 where the cluster lies beyond the circle's farthest point from the axis, else 0

Distances from the circle, unlike residuals at a fixed radius, stay small and smooth where a track
of low momentum turns back, and they do not depend on the signs of charge and azimuth. On the way
back, a cluster lies where the circle of that distance crosses the row: the first time, or for
``turned`` the second. Before its farthest point no undisturbed track is turned: of what the rows
keep, only secondaries of decays are.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from simulacra.detectors import Tpc
from simulacra.helix import Crossings, Helix, crossings, helix_of
from simulacra.transforms.base import Response

CHANNELS = ("present", "across", "along_z", "charge", "peak", "turned")
BESIDE_ROW = 1.0
"""mm; circles that come so near to a row count as reaching it."""
LEAST_CHARGE = 1e-3
"""ADC; clusters have more."""


class HelixFrame(nn.Module):
    """Clusters (n, rows, 5) in mm and ADC to features (n, 6, rows) and back.

    Args:
        detector: a time-projection chamber.
    """

    radii: Tensor

    def __init__(self, detector: Tpc) -> None:
        super().__init__()
        self.names = tuple(detector.conditions)
        self.species = detector.conditions["pdg"].categories or ()
        self.magnetic_field = detector.magnetic_field
        radii = torch.from_numpy(detector.row_radii).float()
        self.register_buffer("radii", radii, persistent=False)

    def helix(self, columns: Tensor) -> Helix:
        """Return the ideal helices of conditions (n, columns) in physical units."""
        named = dict(zip(self.names, columns.unbind(1), strict=True))
        return helix_of(named, self.species, self.magnetic_field)

    def side(self, columns: Tensor) -> Tensor:
        """Return +1 or -1 (n, 1): to which side in z the particles fly."""
        pseudorapidity = columns[:, self.names.index("pseudorapidity"), None]
        return torch.where(pseudorapidity < 0, -1.0, 1.0).to(columns.dtype)

    def fit(self, response: Response, columns: Tensor) -> None:
        """Do nothing: the conditions say it all."""

    def forward(self, response: Response, columns: Tensor) -> Tensor:
        """Return features (n, 6, rows) of clusters."""
        clusters, columns = response["clusters"].double(), columns.double()
        present = response["cluster_mask"] > 0
        helix = self.helix(columns)
        across, path, turned = _beside(helix, clusters[..., 0], clusters[..., 1])
        z = helix.z[:, None] + path * helix.tan_lambda[:, None]
        charge = clusters[..., 3].clamp_min(LEAST_CHARGE)
        peak = clusters[..., 4].clamp_min(LEAST_CHARGE)
        channels = [
            torch.ones_like(across),
            across,
            (clusters[..., 2] - z) * self.side(columns),
            charge.log(),
            (peak / charge).log(),
            turned.to(across.dtype),
        ]
        return torch.where(present[:, None], torch.stack(channels, dim=1), 0.0).float()

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:  # noqa: ARG002
        """Return the features: nothing in them is discrete but what is meant to be."""
        return features

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return clusters and their mask; a row without a cluster holds zeros.

        A circle that does not reach a row leaves no cluster there.
        """
        present, across, along_z, charge, peak, turned = features.unbind(1)
        helix = self.helix(columns)
        place = first_crossings(helix, across, self.radii)
        off = (place.x.square() + place.y.square() - self.radii.square()).abs()
        present = present * (off < 2 * self.radii * BESIDE_ROW).to(present.dtype)
        size = helix.curvature.abs().clamp_min(1e-12)
        path = place.angle.abs() / size[:, None]
        z = helix.z[:, None] + path * helix.tan_lambda[:, None] + along_z * self.side(columns)
        q = charge.exp()
        x, y = _second_crossing(helix, place)
        x, y = (torch.lerp(*pair, turned) for pair in ((place.x, x), (place.y, y)))
        channels = [x, y, z, q, q * peak.exp()]
        clusters = torch.stack([channel * present for channel in channels], dim=-1)
        return {"clusters": clusters, "cluster_mask": present}


def first_crossings(helix: Helix, across: Tensor, radii: Tensor) -> Crossings:
    """Return where circles at distances (n, rows) outside of helices first cross radii (rows,).

    A circle about the same centre is a helix that starts beside the particle's start.
    """
    n, rows = across.shape
    turn = torch.where(helix.curvature < 0, -1.0, 1.0).to(across.dtype)
    outwards = turn * helix.phi.sin(), -turn * helix.phi.cos()
    curvature = helix.curvature[:, None]
    stretch = (1 + curvature.abs() * across).clamp_min(0.1)
    beside = Helix(
        x=(helix.x[:, None] + across * outwards[0][:, None]).reshape(-1),
        y=(helix.y[:, None] + across * outwards[1][:, None]).reshape(-1),
        z=helix.z[:, None].expand(n, rows).reshape(-1),
        phi=helix.phi[:, None].expand(n, rows).reshape(-1),
        curvature=(curvature / stretch).reshape(-1),
        tan_lambda=helix.tan_lambda[:, None].expand(n, rows).reshape(-1),
    )
    found = crossings(beside, radii.expand(n, rows).reshape(-1, 1))
    return Crossings(*(part.view(n, rows) for part in found))


def _second_crossing(helix: Helix, first: Crossings) -> tuple[Tensor, Tensor]:
    """Return x and y of the second crossings: first ones, mirrored at the line to the centre."""
    turn = torch.where(helix.curvature < 0, -1.0, 1.0).to(helix.x.dtype)
    kappa = helix.curvature.abs().clamp_min(1e-12)
    cx, cy = kappa * helix.x - turn * helix.phi.sin(), kappa * helix.y + turn * helix.phi.cos()
    square = cx.square() + cy.square()
    cx, cy, square = cx[:, None], cy[:, None], square[:, None]
    part = 2 * (first.x * cx + first.y * cy) / square
    return part * cx - first.x, part * cy - first.y


def _beside(helix: Helix, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return distances outside of the circle, paths along it in mm, and what is beyond half of it.

    With u along the start's direction and w across it towards the centre, the distance d solves
    d + kappa d^2 / 2 = kappa (u^2 + w^2) / 2 - w, which is exact for straight tracks, too. Beyond
    the farthest point from the axis, which is half a turn away, the path counts backwards.
    """
    cos, sin = helix.phi.cos()[:, None], helix.phi.sin()[:, None]
    sign = torch.where(helix.curvature < 0, -1.0, 1.0).to(x.dtype)[:, None]
    kappa = helix.curvature.abs().clamp_min(1e-12)[:, None]
    dx, dy = x - helix.x[:, None], y - helix.y[:, None]
    u, w = dx * cos + dy * sin, sign * (dy * cos - dx * sin)
    g = kappa * (u.square() + w.square()) / 2 - w
    across = 2 * g / (1 + (1 + 2 * kappa * g).clamp_min(0.0).sqrt())
    angle = torch.atan2(kappa * u, 1 - kappa * w)
    return across, angle.abs() / kappa, angle < 0
