"""Collisions of Pythia, batch by batch, as flat arrays of the particles that can be seen."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors.jet_image import Collisions, Process
from simulacra.errors import MissingDependencyError, SimulacraError
from simulacra.units import GEV

PACKAGES = ("pythia8mc", "fastjet", "awkward")
NEUTRINOS = (12, 14, 16)
LARGEST_SEED = 900_000_000
"""What Pythia takes."""

PythiaObject: TypeAlias = Any  # pythia8mc and all that comes out of it carry no types


@dataclass(frozen=True, slots=True)
class Particles:
    """The visible stable particles of some collisions, one after another; GeV and rad.

    Attributes:
        collision: which collision each particle is of (n,), ascending.
        energy, eta, phi: of each particle (n,).
        collisions: how many collisions there are.
    """

    collision: IntArray
    energy: FloatArray
    eta: FloatArray
    phi: FloatArray
    collisions: int


def require_pythia() -> None:
    """Raise a :class:`MissingDependencyError` unless Pythia and FastJet are installed."""
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            msg = f"jets need {package}: pip install 'simulacra[jets]'"
            raise MissingDependencyError(msg)


def versions() -> dict[str, str]:
    """Return the versions of Pythia and FastJet."""
    return {name: importlib.metadata.version(name) for name in PACKAGES[:2]}


class Generator:
    """Pythia, set up for one process.

    What it makes depends on its settings and the seed alone, so each chunk of work has its own.

    Args:
        collisions: beams and tune.
        process: the process of these.
        seed: from 1 to :data:`LARGEST_SEED`.

    Raises:
        SimulacraError: Pythia does not take a command, or cannot begin.
    """

    def __init__(self, collisions: Collisions, process: Process, seed: int) -> None:
        require_pythia()
        import pythia8mc

        self._pythia = pythia8mc.Pythia("", False)
        self._hook = _momentum_hook(pythia8mc, process)
        if self._hook is not None:
            self._pythia.setUserHooksPtr(self._hook)
        for command in _commands(collisions, process, seed):
            if not self._pythia.readString(command):
                msg = f"Pythia does not take the command {command!r}"
                raise SimulacraError(msg)
        if not self._pythia.init():
            msg = f"Pythia cannot begin with {'; '.join(process.commands)}"
            raise SimulacraError(msg)

    def collide(self, n: int) -> Particles:
        """Return the particles of ``n`` further collisions; those that failed are left out."""
        collision, vectors, made = self.momenta(n)
        x, y, z, energy = vectors.T
        with np.errstate(divide="ignore"):  # exactly along the beam: beyond any tower
            eta = np.arcsinh(z / np.hypot(x, y))
        return Particles(collision, energy, eta, np.arctan2(y, x), made)

    def momenta(self, n: int) -> tuple[IntArray, FloatArray, int]:
        """Return the visible particles of ``n`` further collisions as Pythia has them.

        Returns:
            Which collision each particle is of (particles,), its px, py, pz and E (particles, 4) in
            GeV, and how many collisions there are: those that failed are left out.
        """
        import awkward

        found = self._pythia.nextBatch(n).prt
        number = awkward.to_numpy(awkward.num(found.id))
        status, pdg, *vectors = (
            awkward.to_numpy(awkward.flatten(column))
            for column in (found.status, found.id, found.p.px, found.p.py, found.p.pz, found.p.e)
        )
        seen = (status > 0) & ~np.isin(np.abs(pdg), NEUTRINOS)
        collision = np.repeat(np.arange(len(number)), number)[seen]
        return collision, np.stack([column[seen] for column in vectors], axis=1), len(number)

    @property
    def cross_section(self) -> float:
        """Pythia's estimate of the cross section of the collisions so far, pb."""
        return float(self._pythia.infoPython().sigmaGen()) * 1e9


def _commands(collisions: Collisions, process: Process, seed: int) -> Iterator[str]:
    yield from ("Print:quiet = on", "Random:setSeed = on", f"Random:seed = {seed}")
    yield f"Beams:eCM = {collisions.energy / GEV!r}"
    yield f"Tune:pp = {collisions.tune}"
    if process.resonance is None:
        low, high = process.hard_momentum
        yield f"PhaseSpace:pTHatMin = {low / GEV!r}"
        yield f"PhaseSpace:pTHatMax = {high / GEV!r}"
    yield from process.commands


def _momentum_hook(pythia8mc: PythiaObject, process: Process) -> PythiaObject | None:
    """Return what stops collisions whose resonance lies beyond the limits; None for partons."""
    if process.resonance is None:
        return None
    low, high = (limit / GEV for limit in process.hard_momentum)

    class Hook(pythia8mc.UserHooks):  # type: ignore[misc]
        def canVetoProcessLevel(self) -> bool:
            return True

        def doVetoProcessLevel(self, event: PythiaObject) -> bool:
            for i in range(event.size()):
                particle = event[i]
                if abs(particle.id()) == process.resonance:
                    return not low <= particle.pT() <= high
            return True

    return Hook()
