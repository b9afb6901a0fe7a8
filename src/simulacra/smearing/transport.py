"""FATRAS-like transport: particles through thin layers of matter, and the hits that they leave.

As in ATLAS's fast track simulation (K. Edmonds et al., 2008, cds.cern.ch/record/1091969), particles
follow helices from layer to layer, and each layer acts at one point. Decays and nuclear
interactions are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.detectors.calorimeter.matter import energy_shares
from simulacra.helix import CURVATURE_PER_TESLA, Helix, crossings
from simulacra.smearing.effects import (
    ELECTRON,
    converts,
    highland_angle,
    ionisation_loss,
    radiated,
)
from simulacra.smearing.particles import Particles
from simulacra.smearing.tracker import Tracker, TrackerLayer, load_tracker

PHOTON, ELECTRONS = 22, 11
FLATTEST = 1e-3
"""Smallest cosine between a path and the normal of a layer."""
LEAST = 1e-3
"""Least kinetic energy with which a particle goes on, MeV."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Points measured by layers, layer after layer.

    Attributes:
        track: row of the transported tracks (h,).
        layer: number of the layer (h,).
        true: where the particle crosses it (h, 3), mm.
        measured: (h, 3), mm, on the layer.
    """

    track: IntArray
    layer: IntArray
    true: FloatArray
    measured: FloatArray

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True, slots=True)
class States:
    """Particles under way.

    Attributes:
        pdg: PDG ids (n,).
        charge, mass: (n,), e and MeV.
        position: (n, 3), mm.
        direction: unit vectors (n, 3).
        momentum: (n,), MeV.
        source: which generated particle each is, or comes from (n,).
        born: the layer in which it was made; -1 for generated particles (n,).
        alive: whether it goes on (n,).
    """

    pdg: IntArray
    charge: FloatArray
    mass: FloatArray
    position: FloatArray
    direction: FloatArray
    momentum: FloatArray
    source: IntArray
    born: IntArray
    alive: BoolArray

    def __len__(self) -> int:
        return len(self.pdg)

    @property
    def energy(self) -> FloatArray:
        """Total energies (n,), MeV."""
        return np.hypot(self.momentum, self.mass)

    def take(self, index: Array) -> Self:
        """Return the rows of ``index``."""
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def joined(self, other: Self) -> Self:
        """Return these and others after them."""
        return type(self)(
            **{
                f.name: np.concatenate([getattr(self, f.name), getattr(other, f.name)])
                for f in fields(self)
            }
        )


@dataclass(frozen=True, slots=True)
class Transported:
    """The tracks that left something, and where all particles are in the end.

    Attributes:
        hits: points measured.
        states: the generated particles (their first rows), then the electrons of conversions.
    """

    hits: Hits
    states: States


def transport(
    particles: Particles, tracker: Tracker | str | Path = "idea-vertex", *, seed: int = 1
) -> Transported:
    """Return hits and final states of particles in a tracker.

    At each layer that a particle crosses: multiple scattering (Highland), mean ionisation (Bethe),
    bremsstrahlung of electrons (Bethe and Heitler), conversion of photons. A particle that curls
    before a layer, or has no energy left, ends there. Electrons of a conversion share its energy
    and fly in its direction.

    Args:
        particles: what begins inside of the first layer; what begins further out meets the layers
            beyond its vertex.
        tracker: ``idea-vertex``, a YAML file or a tracker.
        seed: the source of all random numbers.

    Raises:
        CardError: there is no such tracker, or it is wrong.
    """
    chosen = load_tracker(tracker)
    rng = np.random.default_rng(seed)
    states, hits = _begin(particles), []
    for number, layer in enumerate(chosen.layers):
        states, found = _cross(states, layer, number, chosen.field, rng)
        hits.append(found)
    columns = {f.name: np.concatenate([getattr(h, f.name) for h in hits]) for f in fields(Hits)}
    return Transported(Hits(**columns), states)


def _begin(particles: Particles) -> States:
    n = len(particles)
    across = 1 / np.cosh(particles.eta)
    direction = np.column_stack(
        [across * np.cos(particles.phi), across * np.sin(particles.phi), np.tanh(particles.eta)]
    )
    return States(
        particles.pdg,
        particles.charge,
        particles.mass,
        particles.vertex,
        direction,
        particles.momentum,
        np.arange(n),
        np.full(n, -1),
        np.ones(n, bool),
    )


def _cross(
    states: States, layer: TrackerLayer, number: int, field: float, rng: np.random.Generator
) -> tuple[States, Hits]:
    """Return all particles behind a layer, and the hits in it."""
    x, y, _ = states.position.T
    towards = np.flatnonzero(states.alive & (np.hypot(x, y) < layer.radius))
    here = states.take(towards)
    across = np.hypot(here.direction[:, 0], here.direction[:, 1])
    curvature = -CURVATURE_PER_TESLA * field * here.charge / (here.momentum * across)
    azimuth = np.arctan2(here.direction[:, 1], here.direction[:, 0])
    start_x, start_y, start_z = here.position.T
    slope = here.direction[:, 2] / across
    helix = Helix(start_x, start_y, start_z, azimuth, curvature, slope)
    met = crossings(helix, np.array([layer.radius]))
    point = np.column_stack([met.x[:, 0], met.y[:, 0], met.z[:, 0]])
    reached = met.reached[:, 0]
    alive = states.alive.copy()
    alive[towards[~reached]] = False  # it curls, and turns back to the beam
    inside = reached & (np.abs(point[:, 2]) <= layer.half_length)
    azimuth = azimuth + met.angle[:, 0]
    direction = np.column_stack(
        [across * np.cos(azimuth), across * np.sin(azimuth), here.direction[:, 2]]
    )
    moved = replace(here, position=point, direction=direction).take(inside)
    rows = towards[inside]
    hits = _measured(moved, rows, layer, number, rng)
    behind, pairs = _acted(moved, layer, number, rng)
    columns = {f.name: getattr(states, f.name).copy() for f in fields(States)}
    columns["alive"] = alive
    for name, column in columns.items():
        column[rows] = getattr(behind, name)
    return States(**columns).joined(pairs), hits


def _measured(
    states: States, rows: IntArray, layer: TrackerLayer, number: int, rng: np.random.Generator
) -> Hits:
    """Return the hits of charged particles that stand on a layer."""
    seen = (states.charge != 0) & (rng.random(len(states)) < layer.efficiency)
    spread = rng.standard_normal((len(states), 2))
    if layer.resolution is None:
        seen[:] = False
    r_phi, z = (0.0, 0.0) if layer.resolution is None else layer.resolution
    angle = r_phi * spread[:, 0] / layer.radius
    x, y, along = states.position.T
    turned = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    measured = np.column_stack([*turned, along + z * spread[:, 1]])
    return Hits(rows[seen], np.full(int(seen.sum()), number), states.position[seen], measured[seen])


def _acted(
    states: States, layer: TrackerLayer, number: int, rng: np.random.Generator
) -> tuple[States, States]:
    """Return particles behind the matter that they stand in, and the electrons made there."""
    normal = states.position[:, :2] / layer.radius
    cosine = np.abs(np.sum(normal * states.direction[:, :2], axis=1))
    path = layer.thickness / np.maximum(cosine, FLATTEST)
    matter = layer.matter
    depth = path / matter.radiation_length
    charged = states.charge != 0
    energy = states.energy
    angle = highland_angle(states.momentum, energy, states.charge, depth)
    direction = _scattered(states.direction, angle, rng)
    lost = ionisation_loss(
        states.momentum, states.mass, states.charge, layer.minimum_loss, matter.z, path
    )
    electron = np.abs(states.pdg) == ELECTRONS
    kept = np.where(electron, radiated(depth, rng), 1.0)
    left = np.where(charged, energy * kept - lost, energy)
    alive = states.alive & (left - states.mass > LEAST)
    momentum = np.sqrt(np.maximum(left**2 - states.mass**2, LEAST**2))
    pairs = (states.pdg == PHOTON) & converts(depth, rng) & (energy > 2 * ELECTRON)
    made = _pairs(states.take(pairs), number, rng)
    behind = replace(states, direction=direction, momentum=momentum, alive=alive & ~pairs)
    return behind, made


def _scattered(direction: FloatArray, angle: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return directions (n, 3) turned by Gaussian angles of a width (n,) in two planes."""
    x, y = direction[:, 0], direction[:, 1]
    across = np.hypot(x, y)
    aside = np.column_stack([-y / across, x / across, np.zeros(len(x))])
    up = np.cross(direction, aside)
    first, second = rng.standard_normal((2, len(x))) * angle
    turned = direction + np.tan(first)[:, None] * aside + np.tan(second)[:, None] * up
    unit: FloatArray = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    return unit


def _pairs(photons: States, number: int, rng: np.random.Generator) -> States:
    """Return the electrons and positrons of photons that convert, which share their energy."""
    n = len(photons)
    share = energy_shares(rng.random(n))
    free = photons.energy - 2 * ELECTRON
    energy = ELECTRON + free[:, None] * np.column_stack([share, 1 - share])
    both = photons.take(np.repeat(np.arange(n), 2))
    return replace(
        both,
        pdg=np.tile([ELECTRONS, -ELECTRONS], n),
        charge=np.tile([-1.0, 1.0], n),
        mass=np.full(2 * n, ELECTRON),
        momentum=np.sqrt(np.maximum(energy.ravel() ** 2 - ELECTRON**2, 0.0)),
        born=np.full(2 * n, number),
    )
