"""Where circles beside a helix cross the pad rows, by the law of cosines.

The circle's centre C lies at the distance D = rho + e from the beam axis, rho = 1 / |kappa| being
its radius and e where the helix is nearest to the axis. A circle about the same centre with the
radius rho' = rho + d meets the row of radius r under the angle gamma seen from the axis,

    cos(gamma) = (D^2 + r^2 - rho'^2) / (2 D r),

and has turned by theta since it was nearest to the axis, 4 D rho' sin^2(theta / 2) =
r^2 - (D - rho')^2. Both are written so that rho and D, which are large for stiff tracks, are never
subtracted from each other.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from simulacra.helix import Helix

BESIDE_ROW = 1.0
"""mm; circles that come so near to a row count as reaching it, in the direction of the centre."""
LEAST_STRETCH = 0.1
"""Smallest radius of a circle over that of its helix."""
LEAST_CURVATURE = 1e-12


class RowCrossings(NamedTuple):
    """Points (n, rows) in mm on the rows, and 1 or 0 where the circle gets there or does not."""

    x: Tensor
    y: Tensor
    z: Tensor
    reached: Tensor


class Nearest(NamedTuple):
    """Where helices are nearest to the beam axis, each (n, 1).

    Attributes:
        kappa: size of the curvature, 1/mm.
        away: how much farther the centre is from the axis than from the helix, mm.
        towards: unit vector from the axis to the centre.
        ahead: direction of the helix there, a unit vector.
        z: mm.
        tan_lambda: dz per transverse path.
    """

    kappa: Tensor
    away: Tensor
    towards: tuple[Tensor, Tensor]
    ahead: tuple[Tensor, Tensor]
    z: Tensor
    tan_lambda: Tensor


def nearest_to_axis(helix: Helix) -> Nearest:
    """Return where n helices are nearest to the beam axis."""
    h = helix.column()
    sign = torch.where(h.curvature < 0, -1.0, 1.0).to(h.x.dtype)
    kappa = h.curvature.abs().clamp_min(LEAST_CURVATURE)
    normal = -sign * h.phi.sin(), sign * h.phi.cos()
    across = h.x * normal[0] + h.y * normal[1]
    along = h.x * h.phi.cos() + h.y * h.phi.sin()
    twice = 2 * across + kappa * (h.x.square() + h.y.square())
    distance = (1 + kappa * twice).clamp_min(0.0).sqrt()  # of the centre, in radii
    away = twice / (1 + distance)
    to_centre = kappa * h.x + normal[0], kappa * h.y + normal[1]
    towards = to_centre[0] / distance, to_centre[1] / distance
    ahead = sign * towards[1], -sign * towards[0]
    back = torch.atan2(kappa * along, 1 + kappa * across) / kappa
    return Nearest(kappa, away, towards, ahead, h.z - back * h.tan_lambda, h.tan_lambda)


def crossings_beside(helix: Helix, across: Tensor, turned: Tensor, radii: Tensor) -> RowCrossings:
    """Return where circles about the centres of helices cross radii.

    Args:
        helix: n helices.
        across: by how much the circles lie outside (n, rows), mm.
        turned: 0 for the first crossing, 1 for the second (n, rows).
        radii: of the rows (rows,), mm.
    """
    near = nearest_to_axis(helix)
    kappa, e = near.kappa, near.away
    centre = 1 + kappa * e
    stretch = (1 + kappa * across).clamp_min(LEAST_STRETCH)
    inner = e - across
    cosine = (kappa * radii.square() + inner * (centre + stretch)) * (0.5 / radii) / centre
    reached = (1 + BESIDE_ROW / radii - cosine).sign().clamp_min(0.0)
    cosine = cosine.clamp(-1.0, 1.0)
    towards = radii * cosine
    ahead = (1 - 2 * turned) * radii * (1 - cosine.square()).sqrt()
    half = (radii.square() - inner.square()) * (kappa.square() / (4 * centre)) / stretch
    half = half.clamp(0.0, 1.0)  # the squared sine of half the angle
    path = torch.atan2(half.sqrt(), (1 - half).sqrt()) * (2 / kappa)
    return RowCrossings(
        x=torch.addcmul(towards * near.towards[0], ahead, near.ahead[0]),
        y=torch.addcmul(towards * near.towards[1], ahead, near.ahead[1]),
        z=torch.addcmul(near.z, path, near.tan_lambda),
        reached=reached,
    )
