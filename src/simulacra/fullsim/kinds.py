"""The kinds of detectors that Geant4 simulates here: one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulacra.detectors import Detector
from simulacra.errors import SimulacraError
from simulacra.files.entry_points import Table
from simulacra.fullsim.setup import Setup

SETUPS: Table[Callable[[Any], Setup]] = Table(
    "simulacra.fullsim",
    {
        "calorimeter": "simulacra.fullsim.calorimeter.setup:CalorimeterSetup",
        "tpc": "simulacra.fullsim.tpc.setup:TPCSetup",
    },
)


def setup_of(detector: Detector) -> Setup:
    """Return how a detector is simulated.

    Raises:
        SimulacraError: Geant4 has nothing to do for its kind, or the detector holds no matter.
    """
    if detector.kind not in SETUPS:
        msg = f"{detector.name}: Geant4 simulates {', '.join(SETUPS)}, not a {detector.kind}"
        raise SimulacraError(msg)
    return SETUPS[detector.kind](detector)
