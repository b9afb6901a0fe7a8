"""The particle that was shot, from columns of particles: which one, what, and its energy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.errors import EventsError
from simulacra.io.mapped.cell_map import as_ids
from simulacra.io.mapped.plan import Plan
from simulacra.io.mapped.scaling import scale_stated
from simulacra.io.mapped.tables import Column
from simulacra.particles import PDG

if TYPE_CHECKING:
    from particle import Particle


class Reader(Protocol):
    """Reads one number an event of a target."""

    def __call__(self, target: str) -> Array:
        """Return the column of a target (events,)."""

    def every(self, target: str) -> Iterator[Array]:
        """Yield the columns of a target (events,)."""


def primaries(name: str, status: Column) -> IntArray:
    """Return where in the lists of all events their only particle with status 1 stands (events,).

    Raises:
        EventsError: an event has none, or several.
    """
    values, counts = status.lists()
    event = np.repeat(np.arange(len(counts)), counts)
    shot = values == 1
    number = np.bincount(event[shot], minlength=len(counts))
    if np.any(number != 1):
        none, several = int(np.sum(number == 0)), int(np.sum(number > 1))
        msg = (
            f"{name} is 1 for the particle that was shot: {none} events have none, {several} have "
            "several; showers of one particle are needed"
        )
        raise EventsError(msg)
    found: IntArray = np.flatnonzero(shot)
    return found


def kinetic_energy(plan: Plan, read: Reader) -> FloatArray:
    """Return kinetic energies (events,) in MeV from momentum or total energy, and the mass.

    Raises:
        EventsError: a unit or the mass is missing, or a total energy is below the mass.
    """
    mass = _mass(plan, read)
    if plan.has("momentum"):
        scale = _energy_scale(plan, "momentum")
        parts = [values.astype(np.float64) * scale for values in read.every("momentum")]
        if len(parts) not in (1, 3):
            msg = f"--map momentum takes three columns (or its size in one), not {len(parts)}"
            raise EventsError(msg)
        square = np.sum(np.square(parts), axis=0)
        kinetic: FloatArray = square / (np.sqrt(square + mass**2) + mass)
        return kinetic
    total = read("total_energy").astype(np.float64) * _energy_scale(plan, "total_energy")
    below = int(np.sum(total < mass * (1 - 1e-6)))
    if below:
        msg = f"total_energy is below the particle's mass in {below} events: is it the kinetic one?"
        raise EventsError(msg)
    return total - mass


def _energy_scale(plan: Plan, target: str) -> float:
    unit = plan.unit(target)
    if unit is None:
        msg = f"no unit is stated for {target}: give it (--map {target}=COLUMN:GeV)"
        raise EventsError(msg)
    return scale_stated(target, unit, "energy")


def _mass(plan: Plan, read: Reader) -> FloatArray:
    if plan.has("mass"):
        return read("mass").astype(np.float64) * _energy_scale(plan, "mass")
    if not plan.has(PDG):
        msg = "the kinetic energy needs the particle's mass: --map mass=COLUMN:GeV or --map pdg=…"
        raise EventsError(msg)
    ids, inverse = np.unique(as_ids(PDG, read(PDG)), return_inverse=True)
    masses = np.array([particle_of(int(number)).mass or 0.0 for number in ids])
    of_each: FloatArray = masses[inverse]
    return of_each


def particle_of(pdg: int) -> Particle:
    """Return what is known of a particle.

    Raises:
        EventsError: the number is no particle's.
    """
    # Imported here because its tables take a moment to load.
    from particle import InvalidParticle, Particle, ParticleNotFound

    try:
        return Particle.from_pdgid(pdg)
    except (InvalidParticle, ParticleNotFound):
        msg = f"pdg {pdg} is no particle that is known here"
        raise EventsError(msg) from None
