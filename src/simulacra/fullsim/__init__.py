"""Full simulation: Geant4 in worker processes. Importing this does not load Geant4."""

from __future__ import annotations

from typing import Protocol

from simulacra.conditions import Conditions
from simulacra.events import Events
from simulacra.fullsim.cautions import cautions
from simulacra.fullsim.production import Geant4Simulator, simulate
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.workers import WorkerPool
from simulacra.particles import pdg_id


class FullSimulator(Protocol):
    """Turns conditions into events by full simulation."""

    def simulate(self, conditions: Conditions, seed: int) -> Events:
        """Return the events of the conditions; equal seeds give equal events."""
        ...


__all__ = [
    "FullSimulator",
    "Geant4Settings",
    "Geant4Simulator",
    "WorkerPool",
    "cautions",
    "pdg_id",
    "simulate",
]
