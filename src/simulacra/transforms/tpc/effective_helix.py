"""The effective helix of a track, by five parameters relative to the ideal helix of its conditions.

Energy loss and scattering before and in the chamber change position, direction and curvature of a
track. The parameters are taken at the path s on the ideal helix to the mean radius of the clusters:

    delta_d             displacement outwards of the circle, mm
    delta_phi           rotation of the direction outwards, mrad
    delta_kappa         logarithm of the curvature over the ideal one, in units of 10^-3
    delta_z             displacement in z, mm
    delta_tan_lambda    change of dz per transverse path, in units of 10^-3
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import torch
from torch import Tensor

from simulacra.helix import Helix

PARAMETERS = 5
ROUNDS = 20
"""Steps of the fit: Gauss-Newton, shortened where they lead away."""
SHORTER = 0.3
OFFSETS, TURNS = (0.0, 300.0, -300.0, 900.0, -900.0), (0.0, 500.0, -500.0, 1200.0, -1200.0)
"""Where the fit begins, too, if the ideal helix does not lead to the clusters: mm, mrad."""
LOST = 5.0
"""mm; root mean square distance from which on it does not."""
FEWEST = 5
"""Clusters below which a track is taken to follow the ideal helix."""
PART = 1e-3
MOST_BEND = 3.0
"""Largest logarithm of the ratio of curvatures."""
LEAST_CURVATURE = 1e-12
SHORT = 0.05
"""mm by which a helix may miss its last cluster: rounding, as of a track that turns back there."""
BEYOND = (0.4, 0.005)
"""Margin by which a helix that misses it by more is extended beyond it: mm, and part of delta_d.
Where a circle turns back, the square root of this says where along the row it is, and single
precision, 1e-6 of delta_d, would be seen there."""


def effective_helix(
    ideal: Helix, path: Tensor, parameters: Tensor, farthest: Tensor | None = None
) -> Helix:
    """Return helices that start where they are nearest to the beam axis.

    Args:
        ideal: n helices.
        path: where the parameters are taken (n,), mm.
        parameters: (n, 5).
        farthest: how far from the beam axis they have to come (n,), mm. One that falls ``SHORT``
            bends so much less that it comes ``BEYOND`` farther; the others stay as they are.
    """
    delta_d, delta_phi, delta_kappa, delta_z, delta_tan_lambda = parameters.unbind(1)
    sign = torch.where(ideal.curvature < 0, -1.0, 1.0).to(path.dtype)
    x, y, phi = _advance(ideal.x, ideal.y, ideal.phi, ideal.curvature, path)
    x, y = x + sign * delta_d * phi.sin(), y - sign * delta_d * phi.cos()
    phi = phi - sign * PART * delta_phi
    curvature = ideal.curvature * (PART * delta_kappa).clamp(-MOST_BEND, MOST_BEND).exp()
    curvature = torch.where(curvature.abs() > LEAST_CURVATURE, curvature, sign * LEAST_CURVATURE)
    if farthest is not None:
        least, part = BEYOND
        most = _most_bent(x, y, phi, sign, farthest - SHORT)
        less = _most_bent(x, y, phi, sign, farthest + least + part * delta_d.abs())
        less = less.clamp_min(LEAST_CURVATURE)
        curvature = torch.where(curvature.abs() > most, sign * less, curvature)
    tan_lambda = ideal.tan_lambda + PART * delta_tan_lambda
    # back to where it is nearest to the axis
    along, transverse = x * phi.cos() + y * phi.sin(), y * phi.cos() - x * phi.sin()
    angle = torch.atan2(curvature.abs() * along, 1 + curvature * transverse)
    back = angle / curvature.abs()
    x, y, phi = _advance(x, y, phi, curvature, -back)
    z = ideal.z + path * ideal.tan_lambda + delta_z - back * tan_lambda
    return Helix(x, y, z, phi, curvature, tan_lambda)


def _most_bent(x: Tensor, y: Tensor, phi: Tensor, sign: Tensor, farthest: Tensor) -> Tensor:
    """Return the largest curvatures (n,) with which circles through (x, y) come so far.

    The centre is at p + n / kappa, with n across the direction: the circle comes as far as R if
    kappa (R^2 - p^2) <= 2 (p n + R).
    """
    towards_centre = sign * (y * phi.cos() - x * phi.sin())
    beyond = farthest.square() - x.square() - y.square()
    most = 2 * (towards_centre + farthest).clamp_min(0.0) / beyond.clamp_min(LEAST_CURVATURE)
    return torch.where(beyond > 0, most, math.inf)


def fitted_parameters(
    ideal: Helix, path: Tensor, middle: Tensor, points: Tensor, present: Tensor
) -> Tensor:
    """Return the parameters (n, 5) of the helices that follow clusters best, by least squares.

    Args:
        ideal: n helices, in double precision.
        path: of the rows on them (n, rows), mm.
        middle: where the parameters are taken (n,), mm.
        points: clusters (n, rows, 3), mm.
        present: 1 or 0 (n, rows).
    """
    start = torch.zeros((len(path), PARAMETERS), dtype=path.dtype)
    best, least = _descended(ideal, path, middle, points, present, start)
    count = present.sum(dim=1, keepdim=True)
    lost = ((least > LOST**2 * count) & (count >= FEWEST))[:, 0].nonzero()[:, 0]
    if len(lost):
        fields = (getattr(ideal, field.name)[lost] for field in dataclasses.fields(ideal))
        parts = Helix(*fields), path[lost], middle[lost], points[lost], present[lost]
        for delta_d, delta_phi in itertools.product(OFFSETS, TURNS):
            start = torch.zeros((len(lost), PARAMETERS), dtype=path.dtype)
            start[:, 0], start[:, 1] = delta_d, delta_phi
            tried, squares = _descended(*parts, start)
            better = squares < least[lost]
            best[lost] = torch.where(better, tried, best[lost])
            least[lost] = torch.where(better, squares, least[lost])
    return best


def _descended(
    ideal: Helix, path: Tensor, middle: Tensor, points: Tensor, present: Tensor, best: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the parameters (n, 5) that a start leads to, and their sum of squares (n, 1)."""
    away = (path - middle[:, None]) * present * PART  # metres
    enough = (present.sum(dim=1, keepdim=True) >= FEWEST).to(path.dtype)
    least, step = _step(ideal, middle, best, away, points, present)
    scale = enough
    for _ in range(ROUNDS):
        tried = best + scale * step
        limit = MOST_BEND / PART
        tried[:, 2] = tried[:, 2].clamp(-limit, limit)
        squares, new = _step(ideal, middle, tried, away, points, present)
        better = squares < least
        best, step = torch.where(better, tried, best), torch.where(better, new, step)
        least = torch.where(better, squares, least)
        scale = torch.where(better, enough, scale * SHORTER)
    return best, least


def _step(
    ideal: Helix, middle: Tensor, parameters: Tensor, away: Tensor, points: Tensor, present: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the sum of squares (n, 1) of parameters, and the Gauss-Newton step from them."""
    helix = effective_helix(ideal, middle, parameters)
    r_phi, z = residuals(helix, points)[:2]
    of_circle = _polynomial(away, r_phi, present, 3)
    of_line = _polynomial(away, z, present, 2)
    # d = offset + turn t - (change of curvature) t^2 / 2, with t in metres
    size = helix.curvature.abs().clamp_min(LEAST_CURVATURE)
    delta_kappa = torch.log1p((-2e-6 * of_circle[:, 2] / size).clamp(-0.5, 1.0)) / PART
    steps = [of_circle[:, 0], of_circle[:, 1], delta_kappa, of_line[:, 0], of_line[:, 1]]
    squares = ((r_phi.square() + z.square()) * present).sum(dim=1, keepdim=True)
    return squares, torch.stack(steps, dim=1)


def residuals(helix: Helix, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the residuals of points (n, rows, 3) to helices, each (n, rows).

    Outside of the circle in mm; along z at the same turning angle in mm; and whether they are more
    than half a turn from the start, where angles count backwards.

    With u along the start's direction and w across it towards the centre, the distance d solves
    d + kappa d^2 / 2 = kappa (u^2 + w^2) / 2 - w, which is exact for straight tracks, too.
    """
    cos, sin = helix.phi.cos()[:, None], helix.phi.sin()[:, None]
    sign = torch.where(helix.curvature < 0, -1.0, 1.0).to(points.dtype)[:, None]
    kappa = helix.curvature.abs().clamp_min(LEAST_CURVATURE)[:, None]
    dx, dy = points[..., 0] - helix.x[:, None], points[..., 1] - helix.y[:, None]
    u, w = dx * cos + dy * sin, sign * (dy * cos - dx * sin)
    g = kappa * (u.square() + w.square()) / 2 - w
    r_phi = 2 * g / (1 + (1 + 2 * kappa * g).clamp_min(0.0).sqrt())
    angle = torch.atan2(kappa * u, 1 - kappa * w)
    z = helix.z[:, None] + angle.abs() / kappa * helix.tan_lambda[:, None]
    return r_phi, points[..., 2] - z, angle < 0


def _advance(
    x: Tensor, y: Tensor, phi: Tensor, curvature: Tensor, path: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return position and direction after a path on a circle."""
    half = curvature * path / 2
    chord = path * torch.sinc(half / torch.pi)
    return x + chord * (phi + half).cos(), y + chord * (phi + half).sin(), phi + 2 * half


def _polynomial(t: Tensor, values: Tensor, present: Tensor, number: int) -> Tensor:
    """Return coefficients (n, number) of powers of t, by least squares on the rows present."""
    powers = torch.stack([t**order for order in range(number)], dim=2) * present[..., None]
    normal = powers.mT @ powers
    normal = normal + 1e-9 * torch.eye(number, dtype=t.dtype)
    right = powers.mT @ (values * present)[..., None]
    solution: Tensor = torch.linalg.solve(normal, right)[..., 0]
    return solution
