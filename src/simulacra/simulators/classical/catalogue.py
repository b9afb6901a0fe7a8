"""The classical simulations by name."""

from __future__ import annotations

from simulacra.errors import SimulatorError
from simulacra.files.entry_points import Table
from simulacra.files.mistakes import did_you_mean
from simulacra.simulators.classical.base import ClassicalSimulator

CLASSICAL: Table[type[ClassicalSimulator]] = Table(
    "simulacra.classical",
    {
        "fastcalosim": "simulacra.simulators.classical.fastcalosim.simulator:FastCaloSim",
        "frozen-showers": "simulacra.simulators.classical.frozen_showers:FrozenShowers",
        "gflash": "simulacra.simulators.classical.gflash.simulator:GFlash",
        "lookup": "simulacra.simulators.classical.lookup:Lookup",
    },
)
"""Kinds of classical simulations. Other packages add rows."""


def find_classical(kind: str) -> type[ClassicalSimulator]:
    """Return the class of a kind.

    Raises:
        SimulatorError: there is no such kind.
    """
    if kind not in CLASSICAL:
        meant = did_you_mean(kind, tuple(CLASSICAL))
        msg = f"no classical simulation {kind!r}; there are {', '.join(CLASSICAL)}{meant}"
        raise SimulatorError(msg)
    return CLASSICAL[kind]
