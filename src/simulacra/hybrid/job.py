"""A hybrid run as work in chunks: which primaries, with which random numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.files.digests import columns_digest
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.datasets import require_geant4
from simulacra.fullsim.geant4 import Chunk, run_chunk
from simulacra.fullsim.job import chunk_bounds, versions
from simulacra.fullsim.work import ChunkResult
from simulacra.hybrid.geant4 import HybridSetup
from simulacra.hybrid.primaries import Primaries
from simulacra.hybrid.rules import Outcome
from simulacra.hybrid.setup import Setup

COST = 20.0
"""What a particle costs that is handed over at once, as energy of full simulation, MeV."""


@dataclass(frozen=True)
class HybridJob:
    """Primaries to send through Geant4 and the rules.

    Attributes:
        setup: the world and the rules.
        primaries: the particles.
        seed: where the random numbers of Geant4 come from.
    """

    program: ClassVar[str] = "Geant4"

    setup: Setup
    primaries: Primaries
    seed: np.random.SeedSequence

    @cached_property
    def bounds(self) -> tuple[slice, ...]:
        """The primaries of each chunk: roughly equal work, so that chunks take equal times."""
        return chunk_bounds(self._work(), CalorimeterSetup.chunk_cost)

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The work, chunk by chunk."""
        rng = np.random.default_rng(self.seed)
        seeds = rng.integers(1, 2**31, (len(self.primaries), 2))
        setup, settings = HybridSetup(self.setup), self.setup.geant4
        return tuple(
            Chunk(setup, settings, self.primaries.take(rows), seeds[rows]) for rows in self.bounds
        )

    @property
    def run(self) -> Callable[[Chunk], ChunkResult]:
        """What a worker calls with a chunk."""
        return run_chunk

    def require(self) -> None:
        """Raise a :class:`MissingDependencyError` unless Geant4 and its data are installed."""
        require_geant4(self.setup.geant4.data_sets)

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this job from another whose finished chunks could be mistaken for its own."""
        return {
            "setup": self.setup.fingerprint,
            "primaries": columns_digest(self.primaries.columns),
            "seed": [self.seed.entropy, *self.seed.spawn_key],
            "chunks": len(self.bounds),
            "versions": versions(),
        }

    def _work(self) -> FloatArray:
        """Return what each primary costs (n,), if it flies straight, as energy in MeV."""
        work = self.primaries.energy.astype(np.float64)
        for region in self.setup.regions:
            enters, entries = self.primaries.entering(region)
            rows = np.flatnonzero(enters)
            rule, outcome = self.setup.decide(region, entries.take(rows))
            work[rows[(rule >= 0) & (outcome == Outcome.HANDED_OVER)]] = COST
        return work
