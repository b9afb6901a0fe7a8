"""Full simulation as work in chunks, whatever program does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulacra.arrays import Array
from simulacra.detectors import Detector
from simulacra.engines import Parts
from simulacra.engines.task import Made
from simulacra.events import Events


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What a worker sends back.

    Attributes:
        response: the arrays that are read out; of a generator also the conditions of its events.
        version: of the program that simulated.
        facts: for the provenance, as the program itself has them. Of Geant4 ``cut_mm``, the range
            cut of its table of cuts, by region where they differ; ``incomplete_data``, where data
            are missing that refine the physics.
    """

    response: Mapping[str, Array]
    version: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def stored(result: ChunkResult) -> Made:
    """Return a chunk's result as arrays and facts."""
    return result.response, {"version": result.version, "facts": dict(result.facts)}


def load_result(parts: Parts, number: int) -> ChunkResult:
    """Return a finished chunk.

    Raises:
        SimulacraError: the file is damaged.
    """
    response, said = parts.load(number)
    return ChunkResult(response, said["version"], said["facts"])


class Chunked(Protocol):
    """Work in chunks that fresh processes do."""

    @property
    def program(self) -> str:
        """The program that does the work, for messages."""

    @property
    def chunks(self) -> Sequence[Any]:
        """What the workers get."""

    @property
    def bounds(self) -> Sequence[slice]:
        """The rows of each chunk."""

    @property
    def run(self) -> Callable[[Any], ChunkResult]:
        """The function of a module that a worker calls with a chunk."""

    def require(self) -> None:
        """Raise a :class:`MissingDependencyError` where the program or its data are missing."""


class Work(Chunked, Protocol):
    """Chunks that make a sample of events of one detector."""

    def __len__(self) -> int: ...

    @property
    def detector(self) -> Detector:
        """The detector."""

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this job from another whose finished chunks could be mistaken for its own."""

    @property
    def task(self) -> str:
        """The row of :data:`simulacra.engines.task.TASKS` that makes its chunks elsewhere."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What that task needs beside arrays."""

    @property
    def inputs(self) -> dict[str, Array]:
        """The arrays that it needs."""

    def events(self, rows: slice, result: ChunkResult) -> Events:
        """Return the events of these rows from what workers sent back."""


class Generated(Work, Protocol):
    """A job of a generator, whose physics the detector's file states."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the file leaves out, one line each: told before the work."""
