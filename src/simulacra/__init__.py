"""Simulacra: fast detector simulation for particle physics.

A simulator turns conditions into events. Geant4 is one, a trained network is one; everything else
(training, validation, generation) works on that sentence and knows no particular simulator.

Names load when they are first used: importing the package loads neither torch nor Geant4.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "Card": "simulacra.training.card",
    "Conditions": "simulacra.conditions",
    "EnergySpectrum": "simulacra.conditions",
    "Events": "simulacra.events",
    "Geant4Settings": "simulacra.fullsim",
    "Geant4Simulator": "simulacra.fullsim",
    "SimulacraError": "simulacra.errors",
    "TrainedSimulator": "simulacra.simulators.trained",
    "draw_conditions": "simulacra.conditions",
    "draw_detector": "simulacra.drawings",
    "export": "simulacra.deploy",
    "load_detector": "simulacra.detectors",
    "load_sample": "simulacra.datasets.samples",
    "load_simulator": "simulacra.simulators.load",
    "observables_of": "simulacra.observables",
    "read_events": "simulacra.io",
    "train": "simulacra.simulators.trained",
    "validate": "simulacra.validation",
    "write_events": "simulacra.io",
}

if TYPE_CHECKING:
    from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
    from simulacra.datasets.samples import load_sample
    from simulacra.deploy import export
    from simulacra.detectors import load_detector
    from simulacra.drawings import draw_detector
    from simulacra.errors import SimulacraError
    from simulacra.events import Events
    from simulacra.fullsim import Geant4Settings, Geant4Simulator
    from simulacra.io import read_events, write_events
    from simulacra.observables import observables_of
    from simulacra.simulators.load import load_simulator
    from simulacra.simulators.trained import TrainedSimulator, train
    from simulacra.training.card import Card
    from simulacra.validation import validate

__all__ = [
    "Card",
    "Conditions",
    "EnergySpectrum",
    "Events",
    "Geant4Settings",
    "Geant4Simulator",
    "SimulacraError",
    "TrainedSimulator",
    "draw_conditions",
    "draw_detector",
    "export",
    "load_detector",
    "load_sample",
    "load_simulator",
    "observables_of",
    "read_events",
    "train",
    "validate",
    "write_events",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    msg = f"module 'simulacra' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
