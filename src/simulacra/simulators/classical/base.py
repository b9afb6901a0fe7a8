"""What every classical simulation is: options, arrays, and what it was made for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from simulacra.arrays import Array
from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.base import Frozen
from simulacra.detectors.calorimeter.beam import limits
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.files.progress import OnProgress, silent
from simulacra.files.provenance import provenance
from simulacra.particles import PDG, OwnRanges, Seen, own_ranges_of, seen_of
from simulacra.simulators.facts import common_facts
from simulacra.simulators.fast import FastSimulator
from simulacra.simulators.ranges import recorded, trained_ranges

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a classical simulation is built from.

    Attributes:
        detector: whose response it gives.
        particles: PDG ids that it serves; several are among the detector's categories.
        sample: full simulation to learn from; None: formulas alone.
        seed: the source of random numbers while it is built.
        on_progress: called with (phase, parts done, parts in all).
        on_note: called with what was decided or fitted, line by line.
    """

    detector: Detector
    particles: tuple[int, ...]
    sample: Events | None = None
    seed: int = 1
    on_progress: OnProgress = silent
    on_note: Callable[[str], None] = lambda _: None

    def required(self, kind: str) -> Events:
        """Return the sample.

        Raises:
            SimulatorError: there is none.
        """
        if self.sample is None:
            msg = f"{kind} is made from full simulation: give --sample FILE"
            raise SimulatorError(msg)
        return self.sample


@dataclass(frozen=True, slots=True)
class Made:
    """What a classical simulation is made for, and from what.

    Attributes:
        detector: whose response it gives.
        particles: names of the particles that it serves.
        ranges: lowest and highest value of each numerical condition.
        about: facts on the sample; ranges of single particles are among them.
    """

    detector: Detector
    particles: tuple[str, ...]
    ranges: Ranges
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class ClassicalSimulator(FastSimulator):
    """A fast simulation without a network.

    A subclass sets the class variables, builds itself of :class:`Inputs`, and gives
    :meth:`~simulacra.simulators.fast.FastSimulator.blocks`. Everything that it needs lies in
    ``made``, ``options`` and ``arrays``: these are what a folder holds.

    Attributes:
        made: detector, particles, ranges, facts.
        options: its own, as users write them and as they were fitted.
        arrays: its tables by name; empty for a formula.
    """

    made: Made
    options: Frozen
    arrays: Mapping[str, Array] = field(default_factory=dict)

    kind: ClassVar[str]
    """The name in :data:`simulacra.simulators.classical.catalogue.CLASSICAL`."""
    summary: ClassVar[str]
    """One line."""
    reference: ClassVar[str]
    """The publication."""
    Options: ClassVar[type[Frozen]]
    """Its options; all have defaults."""
    finer: ClassVar[bool] = False
    """Whether the sample may be of another read-out of the same matter."""

    @classmethod
    @abstractmethod
    def built(cls, inputs: Inputs, options: Frozen) -> Self:
        """Build the simulation.

        Raises:
            SimulacraError: the detector, particles or sample cannot be used.
        """

    def check(self) -> None:
        """Raise a :class:`SimulatorError` where stored arrays do not fit detector and options."""

    @property
    def detector(self) -> Detector:
        """The detector whose response it gives."""
        return self.made.detector

    @property
    def calorimeter(self) -> Calorimeter:
        """The detector, which must be a calorimeter.

        Raises:
            SimulatorError: it is of another kind.
        """
        if not isinstance(self.detector, Calorimeter):
            msg = f"{self.kind} needs a calorimeter, which {self.detector.name} is not"
            raise SimulatorError(msg)
        return self.detector

    @property
    def particles(self) -> tuple[str, ...]:
        """The names of the particles that it serves."""
        return self.made.particles

    @property
    def chooses_particle(self) -> bool:
        """Whether it gives the response of the particle that the condition ``pdg`` says."""
        return PDG in self.detector.conditions

    @property
    def ranges(self) -> Ranges:
        """Lowest and highest value of each numerical condition that it is made for."""
        return self.made.ranges

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that have less than all of them."""
        return own_ranges_of(self.made.about, self.detector.scale)

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions in the sample, where not all that there are."""
        return seen_of(self.made.about)

    def describe(self) -> dict[str, Any]:
        """Return the facts on method, detector, particles, ranges, options and sample."""
        hidden = {"own_ranges", "seen_categories", "particles"}
        return {
            **common_facts(self, f"{self.kind}: {self.summary}"),
            "options": self.options.model_dump(mode="json"),
            "arrays": {n: f"{a.shape} {a.dtype}" for n, a in sorted(self.arrays.items())},
            "made": {k: v for k, v in self.made.about.items() if k not in hidden},
        }

    def facts(self, seed: int) -> Mapping[str, Any]:
        """Return the provenance of generated events."""
        return provenance("generate", model=self.kind, seed=seed, **self.made.about)

    def save(self, folder: str | Path) -> None:
        """Write the simulator to a folder, which appears whole or not at all."""
        from simulacra.simulators.classical.store import save

        save(self, Path(folder))


def sample_ranges(sample: Events) -> tuple[Ranges, dict[str, Any]]:
    """Return the ranges of a sample's conditions, and what the facts record beside them."""
    return trained_ranges(sample), dict(recorded(sample))


def beam_ranges(detector: Calorimeter) -> dict[str, tuple[float, float]]:
    """Return the ranges of what serves any place of the face and all angles of the beam."""
    ranges: dict[str, tuple[float, float]] = {}
    for axis, size in zip(detector.axes, _reach(detector), strict=True):
        if f"impact_{axis}" in detector.conditions:
            ranges[f"impact_{axis}"] = (-size, size)
    for name, law in (("theta", detector.beam.theta), ("phi", detector.beam.phi)):
        if name in detector.conditions:
            ranges[name] = limits(law)
    return ranges


def _reach(detector: Calorimeter) -> tuple[float, float]:
    """Return how far from 0 an impact may lie (x, y), mm: half a cell in windows, or the face."""
    if detector.reference_cell is not None:
        return detector.reference_cell[0] / 2, detector.reference_cell[1] / 2
    return detector.volume.half_width
