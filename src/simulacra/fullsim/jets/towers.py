"""Towers: the energy of particles in cells of pseudorapidity and azimuth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.detectors.jet_image import Towers
from simulacra.fullsim.jets.pythia import Particles


@dataclass(frozen=True, slots=True)
class TowerHits:
    """The towers with energy of some collisions, one after another; GeV and rad.

    Attributes:
        collision: which collision each tower is of (n,), ascending.
        momentum: transverse momentum (n,) of a massless particle through the tower's middle.
        eta, phi: of the middle (n,).
    """

    collision: IntArray
    momentum: FloatArray
    eta: FloatArray
    phi: FloatArray

    def take(self, rows: IntArray | BoolArray) -> TowerHits:
        """Return some of the towers."""
        return TowerHits(self.collision[rows], self.momentum[rows], self.eta[rows], self.phi[rows])

    @property
    def vectors(self) -> FloatArray:
        """Four-momenta (n, 4): px, py, pz, E."""
        pt, eta, phi = self.momentum, self.eta, self.phi
        return np.stack(
            [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)], axis=1
        )


def fill(particles: Particles, towers: Towers) -> TowerHits:
    """Return the towers that particles leave energy in; beyond the reach there are none."""
    rows, columns = towers.shape
    high, turn = 2 * towers.reach / rows, 2 * np.pi / columns
    inside = np.abs(particles.eta) < towers.reach
    eta, phi = particles.eta[inside], particles.phi[inside]
    row = np.minimum(((eta + towers.reach) / high).astype(np.int64), rows - 1)
    column = np.floor((phi + np.pi) / turn).astype(np.int64) % columns
    place = (particles.collision[inside] * rows + row) * columns + column
    energy = np.bincount(
        place, particles.energy[inside], minlength=particles.collisions * rows * columns
    )
    lit = np.flatnonzero(energy)
    collision, cell = np.divmod(lit, rows * columns)
    row, column = np.divmod(cell, columns)
    middle = (row + 0.5) * high - towers.reach
    azimuth = (column.astype(np.float64) + 0.5) * turn - np.pi
    return TowerHits(collision, energy[lit] / np.cosh(middle), middle, azimuth)
