"""The one protocol: a simulator turns conditions into events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from simulacra.arrays import BoolArray
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.events import Events
from simulacra.particles import OwnRanges, Seen


class Simulator(Protocol):
    """A simulator: Geant4, a trained network, an exported file, a formula.

    Training, validation, benchmark, hybrid simulation and the command line work on these names and
    on nothing else of a simulator.
    """

    @property
    def detector(self) -> Detector:
        """The detector whose response it gives."""

    @property
    def particles(self) -> tuple[str, ...]:
        """The names of the particles that it serves; empty where they are not recorded."""

    @property
    def chooses_particle(self) -> bool:
        """Whether the response depends on the condition ``pdg``."""

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Lowest and highest value of each numerical condition that it is made for."""

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that have less than all of them."""

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions that it is made for, where not all that there are."""

    def simulate(self, conditions: Conditions, seed: int, *, extrapolate: bool = False) -> Events:
        """Return one event for each row of conditions; equal seeds give equal events.

        Arguments and errors are those of :meth:`simulacra.simulators.fast.FastSimulator.simulate`.
        """

    def stream(
        self, conditions: Conditions, seed: int, *, extrapolate: bool = False
    ) -> Iterator[Events]:
        """Yield the events of :meth:`simulate` in pieces, so that few are in memory at once."""

    def generate(
        self,
        energy: str,
        n: int,
        seed: int,
        particle: str | None = None,
        *,
        extrapolate: bool = False,
    ) -> Events:
        """Return ``n`` events of particles at random places of the beam spot.

        The arguments are those of :meth:`simulacra.simulators.fast.FastSimulator.generate`.
        """

    def describe(self) -> dict[str, Any]:
        """Return the facts on the simulator, the most important ones first."""

    def outside(self, conditions: Conditions) -> BoolArray:
        """Return which rows lie outside the ranges (n,)."""
