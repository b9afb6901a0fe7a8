"""A production job: which particles, in which chunks, with which random numbers.

Everything follows from the conditions and the seed, so that a job gives the same events whatever
the number of workers and however often it was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from simulacra.arrays import Array, FloatArray
from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.detectors import Detector
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.files.digests import columns_digest
from simulacra.files.provenance import provenance
from simulacra.fullsim.datasets import require_geant4
from simulacra.fullsim.geant4 import Chunk, run_chunk
from simulacra.fullsim.kinds import setup_of
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.setup import Setup
from simulacra.fullsim.work import ChunkResult
from simulacra.particles import PDG, in_order
from simulacra.statistics.blocks import bounded

SEEDS, ENDS = "seeds", "ends"
MOST_CHUNKS = 2000  # a large job gets larger chunks, not more files


@dataclass(frozen=True)
class Job:
    """Particles to send through Geant4.

    Attributes:
        setup: the detector with what Geant4 needs for its kind.
        settings: particle, physics list and cut.
        conditions: one row per particle.
        seed: where all random numbers of the job come from.
        facts: what the provenance says beside that.
    """

    program: ClassVar[str] = "Geant4"
    task: ClassVar[str] = "simulate"

    setup: Setup
    settings: Geant4Settings
    conditions: Conditions
    seed: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        detector: Detector,
        settings: Geant4Settings,
        primaries: Conditions | EnergySpectrum,
        seed: int,
        n: int | None = None,
    ) -> Job:
        """Return the job for given conditions, or for ``n`` particles of a spectrum.

        Raises:
            SimulacraError: Geant4 does not simulate the detector, or the conditions are of
                another one.
        """
        detector = _told_apart(detector, settings, primaries)
        setup = setup_of(detector)
        if (n is None) == isinstance(primaries, EnergySpectrum):
            msg = "a number of events goes with a spectrum, and only with one"
            raise SimulacraError(msg)
        facts: dict[str, Any] = {}
        if isinstance(primaries, EnergySpectrum):
            assert n is not None
            facts[detector.scale] = str(primaries)
            rng = np.random.default_rng(_streams(seed)[0])
            primaries = draw_conditions(detector, primaries, n, rng, settings.mixture)
        conditions = _with_pdg(detector, settings, primaries)
        if len(conditions) == 0:
            msg = "no events to simulate"
            raise SimulacraError(msg)
        conditions.check(detector)
        return cls(setup, settings, conditions, seed, facts)

    def __len__(self) -> int:
        return len(self.conditions)

    @property
    def detector(self) -> Detector:
        """The detector."""
        detector: Detector = self.setup.detector
        return detector

    @property
    def run(self) -> Callable[[Chunk], ChunkResult]:
        """What a worker calls with a chunk."""
        return run_chunk

    def require(self) -> None:
        """Raise a :class:`MissingDependencyError` unless Geant4 and its data are installed."""
        require_geant4(self.settings.data_sets)

    @cached_property
    def bounds(self) -> tuple[slice, ...]:
        """The rows of each chunk: roughly equal costs, so that chunks take equal times."""
        return chunk_bounds(self.setup.costs(self.conditions), self.setup.chunk_cost)

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The work, chunk by chunk.

        Raises:
            DetectorError: the conditions do not belong to the detector.
        """
        stream = _streams(self.seed)[2]
        primaries = self.setup.primaries(self.conditions, self.settings, stream)
        seeds = [
            np.random.default_rng(stream).integers(1, 2**31, (1, 2))
            for stream in _streams(self.seed)[1].spawn(len(self.bounds))
        ]
        return tuple(
            Chunk(self.setup, self.settings, primaries.take(rows), pair)
            for rows, pair in zip(self.bounds, seeds, strict=True)
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this job from another whose finished chunks could be mistaken for its own."""
        return {
            "detector": self.detector.fingerprint,
            "settings": self.settings.model_dump(mode="json"),
            "cut": self.settings.cut_or(self.setup.cut),
            "conditions": columns_digest(self.conditions.columns),
            "seed": self.seed,
            "n": len(self),
            "chunks": len(self.bounds),
            "versions": versions(),
        }

    @property
    def arguments(self) -> dict[str, Any]:
        """What the makers of the chunks need beside arrays."""
        settings = self.settings.model_dump(mode="json")
        return {"detector": self.detector.to_yaml(), "settings": settings}

    @property
    def inputs(self) -> dict[str, Array]:
        """The particles, and for each chunk its seeds and its last row."""
        chunks = [chunk.primaries.columns for chunk in self.chunks]
        columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
        ends = np.array([rows.stop for rows in self.bounds])
        return {
            **columns,
            SEEDS: np.concatenate([chunk.seeds for chunk in self.chunks]),
            ENDS: ends,
        }

    def events(self, rows: slice, result: ChunkResult) -> Events:
        """Return the events of these rows from what workers sent back."""
        facts = self.provenance(result)
        return Events(self.conditions.take(rows), result.response, self.detector, facts)

    def provenance(self, result: ChunkResult) -> dict[str, Any]:
        """Return what the events' file says of its origin; a chunk's result knows Geant4's part."""
        return provenance(
            "simulate",
            simulator="geant4",
            geant4=result.version,
            physics=self.settings.physics,
            cut_from=self._cut_from,
            particle=self.settings.particle,
            pdg=self.settings.pdg,
            seed=self.seed,
            n=len(self),
            **self.facts,
            **result.facts,
        )

    @property
    def _cut_from(self) -> str:
        """Who chose the production cut."""
        if self.settings.cut is not None:
            return "settings"
        stated = getattr(self.detector, "production_cut", None) is not None
        return "detector" if stated else "default"


def chunk_bounds(costs: FloatArray, chunk_cost: float) -> tuple[slice, ...]:
    """Return the rows of each chunk, which cost about the same.

    Args:
        costs: of each row (n,).
        chunk_cost: of a chunk, where that does not make too many of them.
    """
    target = max(chunk_cost, float(costs.sum()) / MOST_CHUNKS)
    return tuple(bounded(costs, target))


def versions() -> dict[str, str]:
    """Return the versions that full simulation may depend on: all but torch's."""
    every = provenance("simulate")["versions"]
    return {name: version for name, version in every.items() if name != "torch"}


def _streams(seed: int) -> list[np.random.SeedSequence]:
    """Return the seeds of the conditions, of the chunks and of what conditions do not say."""
    return np.random.SeedSequence(seed).spawn(3)


def _told_apart(
    detector: Detector, settings: Geant4Settings, primaries: Conditions | EnergySpectrum
) -> Detector:
    """Return the detector whose events say their particle, where there are several."""
    ids = () if settings.mixture is None else settings.mixture.ids
    if isinstance(primaries, Conditions) and PDG in primaries.columns:
        ids = tuple(np.unique(primaries[PDG]).tolist())
    several = len(ids) > 1 and PDG not in detector.conditions
    return detector.with_particles(in_order(ids)) if several else detector


def _with_pdg(detector: Detector, settings: Geant4Settings, conditions: Conditions) -> Conditions:
    """Return conditions with the particle, where the detector declares it.

    Raises:
        SimulacraError: nothing says the particle, or conditions and settings differ.
    """
    mixture = settings.mixture
    if PDG in conditions.columns:
        if mixture is not None and not np.all(np.isin(conditions[PDG], mixture.ids)):
            msg = f"the conditions hold other particles than {settings.particle}"
            raise SimulacraError(msg)
        return conditions
    if settings.pdg is None:
        msg = "which particle? the conditions do not say it: give --particle"
        raise SimulacraError(msg)
    if PDG not in detector.conditions:
        return conditions
    column = np.full(len(conditions), settings.pdg, np.int32)
    return Conditions({**conditions.columns, PDG: column})
