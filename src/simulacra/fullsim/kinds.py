"""The kinds of detectors that Geant4 simulates here: one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulacra.detectors import Detector
from simulacra.errors import SimulacraError
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.setup import Setup
from simulacra.fullsim.tpc.setup import TpcSetup

SETUPS: dict[str, Callable[[Any], Setup]] = {
    "calorimeter": CalorimeterSetup,
    "tpc": TpcSetup,
}


def setup_of(detector: Detector) -> Setup:
    """Return how a detector is simulated.

    Raises:
        SimulacraError: Geant4 has nothing to do for its kind, or the detector holds no matter.
    """
    if detector.kind not in SETUPS:
        msg = f"{detector.name}: Geant4 simulates {', '.join(SETUPS)}, not a {detector.kind}"
        raise SimulacraError(msg)
    return SETUPS[detector.kind](detector)
