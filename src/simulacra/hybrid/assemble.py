"""From the workers' chunks and the simulators' answers to events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from simulacra.arrays import IntArray
from simulacra.fullsim.production import concatenated
from simulacra.fullsim.work import ChunkResult
from simulacra.hybrid.events import Audit, Hits, HybridEvents, Requests, read_out
from simulacra.hybrid.job import HybridJob
from simulacra.hybrid.rules import Entries
from simulacra.hybrid.setup import Setup
from simulacra.hybrid.simulators import answer
from simulacra.simulators.protocol import Simulator


def assemble(
    job: HybridJob,
    results: Sequence[ChunkResult],
    origins: tuple[str, ...],
    simulators: Mapping[str, tuple[Simulator, int]],
    facts: Mapping[str, Any],
) -> HybridEvents:
    """Return the events of a job.

    Args:
        job: the work.
        results: what the workers sent back, chunk by chunk.
        origins: where hits may come from: ``full`` and the simulators of the card.
        simulators: those that rules ask, with their seeds.
        facts: how the events are made.
    """
    starts = [rows.start for rows in job.bounds]
    requests = _requests(results, starts)
    parts = [_full(result, start) for result, start in zip(results, starts, strict=True)]
    seconds: dict[str, float] = {}
    for name, (simulator, seed) in simulators.items():
        rows = _answered_by(name, job.setup, requests)
        origin = origins.index(name)
        begun = perf_counter()
        parts.append(_fast(job.setup, requests, rows, origin, simulator, seed))
        seconds[name] = perf_counter() - begun
    hits = Hits.joined(parts)
    regions = {
        region.name: read_out(region, number, job.primaries, hits, facts)
        for number, region in enumerate(job.setup.regions)
    }
    audit = _audit(results, job)
    truth = (job.primaries, hits, requests, audit)
    return HybridEvents(*truth, regions, origins, dict(facts), seconds)


def _requests(results: Sequence[ChunkResult], starts: Sequence[int]) -> Requests:
    sizes = [len(result.response["requests"]) for result in results]
    within, region, rule, outcome, pdg = concatenated(results, "requests").astype(np.int64).T
    entries = Entries(pdg, *concatenated(results, "entered").T)
    return Requests(within + np.repeat(starts, sizes), region, rule, outcome, entries)


def _full(result: ChunkResult, start: int) -> Hits:
    primary, region, cell = result.response["hits"].T
    return Hits.of(primary + start, 0, region, cell, result.response["energy"])


def _answered_by(name: str, setup: Setup, requests: Requests) -> IntArray:
    """Return the rows of the particles that a simulator answers for."""
    numbers = [number for number, rule in enumerate(setup.rules) if rule.simulator == name]
    rows: IntArray = np.flatnonzero(requests.handed_over & np.isin(requests.rule, numbers))
    return rows


def _fast(
    setup: Setup,
    requests: Requests,
    rows: IntArray,
    origin: int,
    simulator: Simulator,
    seed: int,
) -> Hits:
    if not len(rows):
        none = np.zeros(0)
        return Hits.of(none, 0, none, none, none)
    # All regions that a simulator answers in have one detector: any of them knows the cells.
    region = setup.regions[int(requests.region[rows[0]])]
    particle, cell, energy = answer(simulator, region, requests.entries.take(rows), seed)
    which = rows[particle]
    return Hits.of(requests.primary[which], origin, requests.region[which], cell, energy)


def _audit(results: Sequence[ChunkResult], job: HybridJob) -> Audit:
    rows = concatenated(results, "audit")
    events = np.zeros((job.primaries.n_events, rows.shape[1]))
    np.add.at(events, job.primaries.event, rows)
    return Audit(*events.T)
