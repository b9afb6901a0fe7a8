"""One Geant4 per worker process: built once, then run chunk after chunk.

Geant4's run manager is a singleton that can neither be rebuilt for another detector nor torn down
safely through Python, so a process keeps the first one it makes and leaves by ``os._exit``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import Any

from simulacra.arrays import IntArray
from simulacra.errors import SimulacraError
from simulacra.fullsim.cuts import cut_fact, printed_by_geant4, range_cuts
from simulacra.fullsim.datasets import Geant4Object, import_geant4, lacking
from simulacra.fullsim.settings import EM_PHYSICS, Geant4Settings
from simulacra.fullsim.setup import Experiment, Primaries
from simulacra.fullsim.work import ChunkResult
from simulacra.particles import particle_name

_QUIET = (
    "/control/verbose 0",
    "/run/verbose 0",
    "/event/verbose 0",
    "/tracking/verbose 0",
    "/process/verbose 0",
    "/process/em/verbose 0",
    "/process/had/verbose 0",
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some particles to simulate; everything that the result depends on.

    Attributes:
        setup: what is built and read out.
        settings: particle, physics list and cut.
        primaries: the particles, one per event.
        seeds: two positive integers below 2**31 for Geant4's random engine, which begins anew with
            them: one row for all events (1, 2), or one for each of them (n, 2).
    """

    setup: Experiment
    settings: Geant4Settings
    primaries: Primaries
    seeds: IntArray


_process_run: Geant4Run | None = None


def run_chunk(chunk: Chunk) -> ChunkResult:
    """Simulate a chunk in this process; call it in a worker, never in a process that matters.

    Raises:
        MissingDependencyError: Geant4 or its data are missing.
        SimulacraError: this process already simulates something else.
    """
    global _process_run
    if _process_run is None:
        _process_run = Geant4Run(chunk.setup, chunk.settings)
    if not _process_run.serves(chunk):
        msg = "a process can simulate one set-up with one physics list: use fresh workers"
        raise SimulacraError(msg)
    return _process_run.simulate(chunk)


class Geant4Run:
    """The run manager of this process with its geometry, physics list and user actions."""

    def __init__(self, setup: Experiment, settings: Geant4Settings) -> None:
        g4 = import_geant4(settings.data_sets)
        # Geant4's destructors run in an order that crashes; -100: after everybody else's clean-up.
        Finalize(None, os._exit, args=(0,), exitpriority=-100)
        self._g4 = g4
        self._setup = setup
        self._settings = settings
        self._manager = g4.G4RunManagerFactory.CreateRunManager(g4.G4RunManagerType.SerialOnly)
        _tell(g4, *_QUIET[:2])
        # Referenced here for good: the bindings do not keep what Geant4 still points at.
        self._geometry = setup.construction(g4)
        self._physics = _physics_list(g4, settings, setup.physics(g4))
        self._manager.SetUserInitialization(self._geometry)
        self._manager.SetUserInitialization(self._physics)
        self._gun = _gun(g4, settings)
        self._readout = setup.readout(g4, self._geometry)
        self._actions = _actions(g4, self._gun, self._readout)
        self._manager.SetUserInitialization(self._actions)
        _tell(g4, *_QUIET)
        self._manager.Initialize()
        # A physics list made in Python forgets what SetDefaultCutValue told it.
        _tell(g4, f"/run/setCut {settings.cut_or(setup.cut)} mm")
        for name, cut in setup.region_cuts.items():
            _tell(g4, f"/run/setCutForRegion {name} {settings.cut_or(cut)} mm")

    def serves(self, chunk: Chunk) -> bool:
        """Return whether the chunk is of the set-up and settings that this run was built for."""
        same = chunk.setup.fingerprint == self._setup.fingerprint
        same = same and chunk.setup.cut == self._setup.cut
        return same and chunk.settings == self._settings

    def simulate(self, chunk: Chunk) -> ChunkResult:
        """Simulate the chunk; the result does not depend on what this process did before."""
        self._gun.load(chunk.primaries, chunk.seeds)
        self._readout.load(chunk.primaries, chunk.seeds)
        self._manager.BeamOn(len(chunk.primaries))
        return ChunkResult(self._readout.response, _version(self._g4), self._facts())

    def _facts(self) -> dict[str, Any]:
        table = printed_by_geant4(self._g4, "/run/dumpCouples")
        facts: dict[str, Any] = {"cut_mm": cut_fact(range_cuts(table))}
        if missing := lacking(self._settings.refining_data):
            facts["incomplete_data"] = list(missing)
        return facts


def _tell(g4: Geant4Object, *commands: str) -> None:
    for command in commands:
        g4.G4UImanager.GetUIpointer().ApplyCommand(command)


def _version(g4: Geant4Object) -> str:
    """Return ``11.4.1`` for Geant4's own ``$Name: geant4-11-04-patch-01 [MT]$``."""
    text = str(g4.G4Version)
    numbers = text.partition("geant4-")[2].split()[0].replace("patch-", "").split("-")
    return ".".join(str(int(number)) if number.isdigit() else number for number in numbers)


def _physics_list(
    g4: Geant4Object, settings: Geant4Settings, extra: Iterable[Geant4Object]
) -> Geant4Object:
    if settings.physics in EM_PHYSICS:
        constructors = [getattr(g4, EM_PHYSICS[settings.physics][0])()]
        if settings.decays:
            constructors.append(g4.G4DecayPhysics())

        class Electromagnetic(g4.G4VModularPhysicsList):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                for constructor in constructors:
                    self.RegisterPhysics(constructor)

        physics = Electromagnetic()
    else:
        physics = getattr(g4, settings.physics)()
    for constructor in extra:
        physics.RegisterPhysics(constructor)
    physics.SetVerboseLevel(0)
    return physics


def _gun(g4: Geant4Object, settings: Geant4Settings) -> Geant4Object:
    class Gun(g4.G4VUserPrimaryGeneratorAction):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.gun = g4.G4ParticleGun(1)
            self.species: dict[int, Geant4Object] = {}

        def load(self, primaries: Primaries, seeds: IntArray) -> None:
            self.primaries, self.seeds = primaries, seeds.tolist()
            for pdg in set(primaries.pdg.tolist()).difference(self.species):
                self.species[pdg] = find_particle(g4, pdg, settings.physics)

        def GeneratePrimaries(self, event: Geant4Object) -> None:
            i, primaries = event.GetEventID(), self.primaries
            if i < len(self.seeds):
                first, second = self.seeds[i]
                _tell(g4, f"/random/setSeeds {first} {second}")
            self.gun.SetParticleDefinition(self.species[int(primaries.pdg[i])])
            self.gun.SetParticleEnergy(float(primaries.energy[i]))
            self.gun.SetParticleMomentumDirection(
                g4.G4ThreeVector(*primaries.direction[i].tolist())
            )
            self.gun.SetParticlePosition(g4.G4ThreeVector(*primaries.position[i].tolist()))
            self.gun.GeneratePrimaryVertex(event)

    return Gun()


def find_particle(g4: Geant4Object, pdg: int, physics: str) -> Geant4Object:
    """Return Geant4's definition of a particle, known only when the physics list has run.

    Raises:
        SimulacraError: the physics list does not have it.
    """
    particle = g4.G4ParticleTable.GetParticleTable().FindParticle(pdg)
    if particle is None:
        msg = f"physics list {physics} has no particle {particle_name(pdg)!r}"
        raise SimulacraError(msg)
    return particle


def _actions(g4: Geant4Object, *actions: Geant4Object) -> Geant4Object:
    class Actions(g4.G4VUserActionInitialization):  # type: ignore[misc]
        def Build(self) -> None:
            for action in actions:
                self.SetUserAction(action)

    return Actions()
