"""Full simulation: Geant4 in worker processes. Importing this does not load Geant4."""

from __future__ import annotations

from simulacra.fullsim.cautions import cautions
from simulacra.fullsim.production import Geant4Simulator, simulate
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.workers import WorkerPool
from simulacra.particles import pdg_id

__all__ = [
    "Geant4Settings",
    "Geant4Simulator",
    "WorkerPool",
    "cautions",
    "pdg_id",
    "simulate",
]
