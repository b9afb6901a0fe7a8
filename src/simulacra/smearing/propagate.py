"""Where particles leave the cylinder of the magnetic field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.helix import CURVATURE_PER_TESLA, STRAIGHT, Helix, crossings
from simulacra.smearing.particles import Particles


@dataclass(frozen=True, slots=True)
class Exits:
    """Where particles cross the surface of the cylinder.

    Attributes:
        position: (n, 3), mm.
        inside: whether they begin inside of the cylinder (n,); else the position means nothing.
    """

    position: FloatArray
    inside: BoolArray

    @property
    def eta(self) -> FloatArray:
        """Pseudorapidities of the positions (n,)."""
        x, y, z = self.position.T
        eta: FloatArray = np.arcsinh(z / np.maximum(np.hypot(x, y), 1e-9))
        return eta

    @property
    def phi(self) -> FloatArray:
        """Azimuths of the positions (n,), rad."""
        phi: FloatArray = np.arctan2(self.position[:, 1], self.position[:, 0])
        return phi


def helices(particles: Particles, field: float) -> Helix:
    """Return the helices of particles in a field along +z (T)."""
    x, y, z = particles.vertex.T
    curvature = -CURVATURE_PER_TESLA * field * particles.charge / particles.pt
    return Helix(x, y, z, particles.phi, curvature, np.sinh(particles.eta))


def exits(particles: Particles, field: float, radius: float, half_length: float) -> Exits:
    """Return where particles leave a cylinder: at its radius, or at z = ±half_length before that.

    A particle that curls before the radius leaves at the end that it flies to.

    Args:
        particles: they begin where their vertices are.
        field: along +z, T.
        radius: of the cylinder, mm.
        half_length: of the cylinder, mm.
    """
    helix = helices(particles, field)
    x, y, z = particles.vertex.T
    inside = (np.hypot(x, y) < radius) & (np.abs(z) < half_length)
    side = crossings(helix, np.array([radius]))
    at_side = side.reached[:, 0] & (np.abs(side.z[:, 0]) <= half_length)
    slope = helix.tan_lambda
    away = np.where(np.abs(slope) > 1e-9, np.abs(slope), 1e-9)
    path = (half_length - np.where(slope < 0, -z, z)) / away
    end_x, end_y = _along(helix, path)
    end = np.column_stack([end_x, end_y, np.where(slope < 0, -half_length, half_length)])
    wall = np.column_stack([side.x[:, 0], side.y[:, 0], side.z[:, 0]])
    return Exits(np.where(at_side[:, None], wall, end), inside)


def _along(helix: Helix, path: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return x and y (n,) after transverse paths (n,), mm."""
    kappa = np.where(np.abs(helix.curvature) > STRAIGHT, helix.curvature, STRAIGHT)
    half = kappa * path / 2
    chord, towards = 2 * np.sin(half) / kappa, helix.phi + half
    return helix.x + chord * np.cos(towards), helix.y + chord * np.sin(towards)
