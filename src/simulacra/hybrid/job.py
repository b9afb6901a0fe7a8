"""A hybrid run as work in chunks: which primaries, with which random numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.fullsim.datasets import DataSet
from simulacra.fullsim.job import CHUNK_ENERGY, MOST_CHUNKS
from simulacra.hybrid.geant4 import Chunk
from simulacra.hybrid.primaries import Primaries
from simulacra.hybrid.rules import Outcome
from simulacra.hybrid.setup import Setup
from simulacra.provenance import provenance

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

    setup: Setup
    primaries: Primaries
    seed: np.random.SeedSequence

    @cached_property
    def bounds(self) -> tuple[slice, ...]:
        """The primaries of each chunk: roughly equal work, so that chunks take equal times."""
        work = self._work()
        target = max(CHUNK_ENERGY, float(work.sum()) / MOST_CHUNKS)
        before = np.cumsum(work) - work
        starts = np.flatnonzero(np.diff(np.floor(before / target), prepend=-1.0))
        return tuple(slice(a, b) for a, b in pairwise([*starts.tolist(), len(self.primaries)]))

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The work, chunk by chunk."""
        rng = np.random.default_rng(self.seed)
        seeds = rng.integers(1, 2**31, (len(self.primaries), 2))
        return tuple(
            Chunk(self.setup, self.primaries.take(rows), seeds[rows]) for rows in self.bounds
        )

    @property
    def data_sets(self) -> Iterable[DataSet]:
        """The data sets that Geant4 reads."""
        return self.setup.geant4.data_sets

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this job from another whose finished chunks could be mistaken for its own."""
        digest = hashlib.sha256()
        for name, column in self.primaries.columns().items():
            digest.update(f"{name} {column.dtype.str} ".encode() + column.tobytes())
        versions = provenance("hybrid")["versions"]
        return {
            "setup": self.setup.fingerprint,
            "primaries": digest.hexdigest(),
            "seed": [self.seed.entropy, *self.seed.spawn_key],
            "chunks": len(self.bounds),
            "versions": {name: v for name, v in versions.items() if name != "torch"},
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
