"""The kinds of detectors that are simulated in full: one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulacra.detectors import Detector
from simulacra.errors import SimulacraError
from simulacra.files.entry_points import Table
from simulacra.fullsim.setup import Setup
from simulacra.fullsim.work import Generated

SETUPS: Table[Callable[[Any], Setup]] = Table(
    "simulacra.fullsim",
    {
        "calorimeter": "simulacra.fullsim.calorimeter.setup:CalorimeterSetup",
        "tpc": "simulacra.fullsim.tpc.setup:TPCSetup",
    },
)


GENERATED: Table[Callable[..., Generated]] = Table(
    "simulacra.generated",
    {"jet-image": "simulacra.fullsim.jets.job:job_of"},
)
"""Kinds of detectors that Geant4 does not simulate: the function that makes a job.

It is called as ``job_of(detector, processes, n, seed)``, where ``processes`` is a text or None.
"""


def setup_of(detector: Detector) -> Setup:
    """Return how a detector is simulated.

    Raises:
        SimulacraError: Geant4 has nothing to do for its kind, or the detector holds no matter.
    """
    if detector.kind not in SETUPS:
        msg = f"{detector.name}: Geant4 simulates {', '.join(SETUPS)}, not a {detector.kind}"
        raise SimulacraError(msg)
    return SETUPS[detector.kind](detector)
