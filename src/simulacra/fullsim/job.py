"""A production job: which particles, in which chunks, with which random numbers.

Everything follows from the conditions and the seed, so that a job gives the same events whatever
the number of workers and however often it was interrupted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import SimulacraError
from simulacra.fullsim.datasets import DataSet
from simulacra.fullsim.geant4 import Chunk
from simulacra.fullsim.readout import window_starts
from simulacra.fullsim.settings import Geant4Settings
from simulacra.provenance import provenance

CHUNK_ENERGY = 60_000.0  # MeV: a second or so of Geant4 for showers
MOST_CHUNKS = 2000  # a large job gets larger chunks, not more files


@dataclass(frozen=True)
class Job:
    """Particles to send through Geant4.

    Attributes:
        detector: the calorimeter.
        settings: particle, physics list and cut.
        conditions: one row per particle.
        seed: where all random numbers of the job come from.
        facts: what the provenance says beside that.
    """

    detector: Calorimeter
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
        """Return the job for given conditions, or for ``n`` particles of an energy spectrum.

        Raises:
            SimulacraError: the detector is not a calorimeter, or the conditions are not its own.
        """
        if not isinstance(detector, Calorimeter):
            msg = f"{detector.name}: Geant4 simulates calorimeters, not a {detector.kind}"
            raise SimulacraError(msg)
        if not detector.has_matter:
            msg = f"{detector.name} is a read-out only: there is no matter to simulate"
            raise SimulacraError(msg)
        if (n is None) == isinstance(primaries, EnergySpectrum):
            msg = "a number of events goes with an energy spectrum, and only with one"
            raise SimulacraError(msg)
        facts: dict[str, Any] = {}
        if isinstance(primaries, EnergySpectrum):
            assert n is not None
            facts["energy"] = str(primaries)
            rng = np.random.default_rng(_streams(seed)[0])
            primaries = draw_conditions(detector, primaries, n, rng)
        conditions = _with_pdg(detector, settings, primaries)
        if len(conditions) == 0:
            msg = "no events to simulate"
            raise SimulacraError(msg)
        conditions.check(detector)
        return cls(detector, settings, conditions, seed, facts)

    def __len__(self) -> int:
        return len(self.conditions)

    @property
    def data_sets(self) -> tuple[DataSet, ...]:
        """The data sets that Geant4 reads."""
        return self.settings.data_sets

    @cached_property
    def bounds(self) -> tuple[slice, ...]:
        """The rows of each chunk: roughly equal energies, so that chunks take equal times."""
        energy = self.conditions["energy"].astype(np.float64)
        target = max(CHUNK_ENERGY, float(energy.sum()) / MOST_CHUNKS)
        before = np.cumsum(energy) - energy
        starts = np.flatnonzero(np.diff(np.floor(before / target), prepend=-1.0))
        return tuple(slice(a, b) for a, b in pairwise([*starts.tolist(), len(self)]))

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The work, chunk by chunk.

        Raises:
            DetectorError: the conditions do not belong to the detector.
        """
        x, y = self._starting_points()
        window_starts(self.detector, x, y)  # raises here rather than in a worker
        energy = self.conditions["energy"].astype(np.float64)
        seeds = [
            np.random.default_rng(stream).integers(1, 2**31, 2)
            for stream in _streams(self.seed)[1].spawn(len(self.bounds))
        ]
        return tuple(
            Chunk(self.detector, self.settings, energy[rows], x[rows], y[rows], (int(a), int(b)))
            for rows, (a, b) in zip(self.bounds, seeds, strict=True)
        )

    def _starting_points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.detector.reference_cell is not None:
            return self.detector.place(self.conditions.columns)
        # The conditions say nothing of the impact: it is random within the beam spot.
        rng = np.random.default_rng(_streams(self.seed)[2])
        beam = self.detector.beam
        return rng.uniform(*beam.x, len(self)), rng.uniform(*beam.y, len(self))

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this job from another whose finished chunks could be mistaken for its own."""
        digest = hashlib.sha256()
        for name in sorted(self.conditions.columns):
            column = self.conditions[name]
            digest.update(f"{name} {column.dtype.str} ".encode() + column.tobytes())
        versions = provenance("simulate")["versions"]
        return {
            "detector": self.detector.fingerprint,
            "settings": self.settings.model_dump(mode="json"),
            "conditions": digest.hexdigest(),
            "seed": self.seed,
            "n": len(self),
            "chunks": len(self.bounds),
            "versions": {name: v for name, v in versions.items() if name != "torch"},
        }

    def provenance(self, geant4: str) -> dict[str, Any]:
        """Return what the events' file says of its origin."""
        return provenance(
            "simulate",
            simulator="geant4",
            geant4=geant4,
            physics=self.settings.physics,
            cut_mm=self.settings.cut,
            particle=self.settings.particle,
            pdg=self.settings.pdg,
            seed=self.seed,
            n=len(self),
            **self.facts,
        )


def _streams(seed: int) -> list[np.random.SeedSequence]:
    """Return the seeds of the conditions, of the chunks and of unobserved impacts."""
    return np.random.SeedSequence(seed).spawn(3)


def _with_pdg(
    detector: Calorimeter, settings: Geant4Settings, conditions: Conditions
) -> Conditions:
    if "pdg" not in detector.conditions:
        return conditions
    if "pdg" in conditions.columns:
        if np.any(conditions["pdg"] != settings.pdg):
            msg = f"the conditions hold other particles than {settings.particle}"
            raise SimulacraError(msg)
        return conditions
    column = np.full(len(conditions), settings.pdg, np.int32)
    return Conditions({**conditions.columns, "pdg": column})
