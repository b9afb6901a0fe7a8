"""What each kind of detector brings to full simulation: the seam between Geant4 and detectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.fullsim.datasets import Geant4Object
from simulacra.fullsim.settings import Geant4Settings


@dataclass(frozen=True, slots=True)
class Primaries:
    """Particles that set out, one for each of n events.

    Attributes:
        pdg: species (n,).
        energy: kinetic energies (n,), MeV.
        direction: unit vectors (n, 3).
        position: where they start (n, 3), mm.
    """

    pdg: IntArray
    energy: FloatArray
    direction: FloatArray
    position: FloatArray

    def __len__(self) -> int:
        return len(self.pdg)

    @property
    def columns(self) -> Mapping[str, Array]:
        """The arrays by name, one row per particle."""
        columns: dict[str, Array] = {}
        for each in fields(self):
            if isinstance(value := getattr(self, each.name), np.ndarray):
                columns[each.name] = value
        return columns

    def take(self, rows: slice) -> Self:
        """Return some of them, one after another."""
        return replace(self, **{name: column[rows] for name, column in self.columns.items()})


class Readout(Protocol):
    """A Geant4 event action that turns what was scored into the response, event by event."""

    @property
    def response(self) -> Mapping[str, Array]:
        """The arrays that the detector reads out, of the events since :meth:`load`."""

    def load(self, primaries: Primaries, seeds: IntArray) -> None:
        """Prepare for the events of these primaries; Geant4 starts from the same ``seeds``."""


class Experiment(Protocol):
    """What Geant4 is given: volumes, physics beside the list, and what reads out.

    A process holds one for all its life; the workers get it by pickling.
    """

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that its answers depend on."""

    @property
    def cut(self) -> float:
        """Production threshold in range (mm) of its own."""

    @property
    def region_cuts(self) -> Mapping[str, float]:
        """Thresholds (mm) of Geant4's regions that have others, by the region's name."""

    def physics(self, g4: Geant4Object) -> list[Geant4Object]:
        """Return the physics constructors that are needed beside the list."""

    def construction(self, g4: Geant4Object) -> Geant4Object:
        """Return the detector construction."""

    def readout(self, g4: Geant4Object, construction: Geant4Object) -> Any:  # noqa: ANN401
        """Return the :class:`Readout` of what the construction scores."""


class Setup(Experiment, Protocol):
    """How one kind of detector is shot at, built and read out in Geant4.

    Attributes:
        chunk_cost: costs of events, added up, that make a chunk of about a second.
    """

    chunk_cost: ClassVar[float]

    @property
    def detector(self) -> Any:  # noqa: ANN401 - one of the detectors, of the setup's kind
        """The detector."""

    def costs(self, conditions: Conditions) -> FloatArray:
        """Return how much work each event (n,) is, in units of the kind's own."""

    def primaries(
        self, conditions: Conditions, settings: Geant4Settings, stream: np.random.SeedSequence
    ) -> Primaries:
        """Return the particles of these conditions; ``stream`` is for what they do not say.

        Raises:
            SimulacraError: the conditions do not belong to the detector.
        """
