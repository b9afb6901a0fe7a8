"""A production of jets: of which processes, in which chunks, with which random numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from simulacra.arrays import Array, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Detector, JetImage, parse_detector
from simulacra.detectors.jet_image import PROCESS
from simulacra.engines.task import Made, Task
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.faces.columns import range_text
from simulacra.files.digests import columns_digest
from simulacra.files.mistakes import did_you_mean
from simulacra.files.provenance import provenance
from simulacra.fullsim.jets import pythia
from simulacra.fullsim.jets.chunk import JetChunk, run_chunk
from simulacra.fullsim.job import chunk_bounds, versions
from simulacra.fullsim.work import ChunkResult, stored
from simulacra.io.datasets import opened, read_numbers

CHUNK = 64.0
"""Jets of a chunk, about: each begins with a quarter of a second for Pythia's tables."""
LABELS, SEEDS, ENDS = "labels", "seeds", "ends"


@dataclass(frozen=True)
class JetJob:
    """Jets to make with Pythia and FastJet; a :class:`simulacra.fullsim.work.Work`.

    Attributes:
        detector: how they are made.
        labels: the process of each (n,).
        seed: where all random numbers come from.
    """

    program: ClassVar[str] = "Pythia"
    task: ClassVar[str] = "simulate-jets"

    detector: JetImage
    labels: IntArray
    seed: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def run(self) -> Callable[[JetChunk], ChunkResult]:
        """What a worker calls with a chunk."""
        return run_chunk

    def require(self) -> None:
        """Raise a :class:`MissingDependencyError` unless Pythia and FastJet are installed."""
        pythia.require_pythia()

    @cached_property
    def bounds(self) -> tuple[slice, ...]:
        """The rows of each chunk."""
        return chunk_bounds(np.ones(len(self)), CHUNK)

    @cached_property
    def chunks(self) -> tuple[JetChunk, ...]:
        """The work, chunk by chunk; no two processes of a job have the same seed."""
        return tuple(
            JetChunk(self.detector, self.labels[rows], int(seed))
            for rows, seed in zip(self.bounds, self._seeds, strict=True)
        )

    @property
    def _seeds(self) -> IntArray:
        """Return the first of as many consecutive seeds as there are processes, for each chunk."""
        assert self.detector.collisions is not None
        step = len(self.detector.collisions.processes)
        places = pythia.LARGEST_SEED // step
        start = np.random.default_rng(np.random.SeedSequence(self.seed)).integers(places)
        return 1 + step * ((start + np.arange(len(self.bounds))) % places)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which collisions are not generated, for each process."""
        assert self.detector.collisions is not None
        labels = set(self.labels.tolist())
        return tuple(
            f"{name}: only hard momenta from {range_text(*process.hard_momentum, 'MeV')} are "
            "generated; jets of other collisions are missing"
            for name, process in self.detector.collisions.processes.items()
            if process.label in labels
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this job from another whose finished chunks could be mistaken for its own."""
        return {
            "detector": self.detector.to_yaml(),
            "labels": columns_digest({LABELS: self.labels}),
            "seed": self.seed,
            "n": len(self),
            "chunks": len(self.bounds),
            "versions": versions() | pythia.versions(),
        }

    @property
    def arguments(self) -> dict[str, Any]:
        """What the makers of the chunks need beside arrays."""
        return {"detector": self.detector.to_yaml()}

    @property
    def inputs(self) -> dict[str, Array]:
        """The process of each jet, and for each chunk its seed and its last row."""
        ends = np.array([rows.stop for rows in self.bounds])
        return {LABELS: self.labels, SEEDS: self._seeds, ENDS: ends}

    def events(self, rows: slice, result: ChunkResult) -> Events:
        """Return the events of these rows from what workers sent back."""
        arrays = self.detector.response_arrays
        found = {name: column for name, column in result.response.items() if name not in arrays}
        conditions = Conditions({PROCESS: self.labels[rows], **found})
        response = {name: result.response[name] for name in arrays}
        return Events(conditions, response, self.detector, self._provenance(result))

    def _provenance(self, result: ChunkResult) -> dict[str, Any]:
        assert self.detector.collisions is not None
        labels = set(self.labels.tolist())
        collisions = self.detector.collisions.model_dump(mode="json")
        return provenance(
            "simulate",
            simulator="pythia8",
            pythia8=result.version,
            seed=self.seed,
            n=len(self),
            processes=[name for label, name in self.detector.processes.items() if label in labels],
            collisions=collisions,
            **result.facts,
        )


def job_of(detector: Detector, processes: str | None, n: int, seed: int) -> JetJob:
    """Return the job that makes ``n`` jets.

    Args:
        detector: a jet image whose file says how jets are made.
        processes: their names, ``w`` or ``w,qcd``, in turn; None: all of the detector's.
        n: number of jets.
        seed: where all random numbers come from.

    Raises:
        SimulacraError: the file does not say how, or knows no such process.
    """
    assert isinstance(detector, JetImage)
    if detector.collisions is None:
        msg = f"{detector.name}: its file states no collisions: jets come from files"
        raise SimulacraError(msg)
    if n < 1:
        msg = "no events to simulate"
        raise SimulacraError(msg)
    known = detector.collisions.processes
    names = list(known) if processes is None else [name.strip() for name in processes.split(",")]
    for name in names:
        if name not in known:
            msg = f"{detector.name} has no process {name!r}{did_you_mean(name, known)}"
            raise SimulacraError(msg)
    if len(set(names)) < len(names):
        msg = f"processes {processes!r}: each of them is named once"
        raise SimulacraError(msg)
    labels = np.array([known[name].label for name in names], np.int32)
    return JetJob(detector, np.resize(labels, n), seed)


def open_task(arguments: Mapping[str, Any], inputs: Path) -> Task:
    """Return what makes the chunk of a number in this process.

    Args:
        arguments: those of the job.
        inputs: the file with its arrays.
    """
    detector = parse_detector(arguments["detector"], "the job's detector")
    assert isinstance(detector, JetImage)

    def made(number: int) -> Made:
        with opened(inputs) as file:
            ends = read_numbers(file, ENDS, slice(max(number - 1, 0), number + 1)).tolist()
            rows = slice(0 if number == 0 else ends[0], ends[-1])
            labels = read_numbers(file, LABELS, rows)
            seed = int(read_numbers(file, SEEDS, slice(number, number + 1))[0])
        return stored(run_chunk(JetChunk(detector, labels, seed)))

    return made
