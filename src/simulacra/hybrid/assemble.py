"""From the workers' chunks and the simulators' answers to events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulacra.arrays import Array, IntArray
from simulacra.hybrid.book import ChunkResult
from simulacra.hybrid.events import Audit, Hits, HybridEvents, Requests, read_out
from simulacra.hybrid.job import HybridJob
from simulacra.hybrid.rules import FULL, Entries
from simulacra.hybrid.setup import Setup
from simulacra.hybrid.simulators import RangedSimulator, answer

Columns = tuple[Array, ...]


def assemble(
    job: HybridJob,
    results: Sequence[ChunkResult],
    simulators: Mapping[str, tuple[RangedSimulator, int]],
    facts: Mapping[str, Any],
) -> HybridEvents:
    """Return the events of a job.

    Args:
        job: the work.
        results: what the workers sent back, chunk by chunk.
        simulators: the simulators of the card with their seeds, by name, in its order.
        facts: how the events are made.
    """
    starts = [rows.start for rows in job.bounds]
    requests = _requests(results, starts)
    columns = [_full(result, start) for result, start in zip(results, starts, strict=True)]
    for origin, (name, (simulator, seed)) in enumerate(simulators.items(), start=1):
        rows = _answered_by(name, job.setup, requests)
        columns.append(_fast(job.setup, requests, rows, origin, simulator, seed))
    hits = Hits.ordered(*(np.concatenate(column) for column in zip(*columns, strict=True)))
    regions = {
        region.name: read_out(region, number, job.primaries, hits, facts)
        for number, region in enumerate(job.setup.regions)
    }
    audit = _audit(results, job)
    return HybridEvents(
        job.primaries, hits, requests, audit, regions, (FULL, *simulators), dict(facts)
    )


def _requests(results: Sequence[ChunkResult], starts: Sequence[int]) -> Requests:
    primary = [r.requests[:, 0] + start for r, start in zip(results, starts, strict=True)]
    rest = np.concatenate([result.requests for result in results]).astype(np.int64)
    energy, x, y, angle, margin = np.concatenate([result.entered for result in results]).T
    _, region, rule, outcome, pdg = rest.T
    entries = Entries(pdg, energy, x, y, angle, margin)
    return Requests(np.concatenate(primary).astype(np.int64), region, rule, outcome, entries)


def _full(result: ChunkResult, start: int) -> Columns:
    primary, region, cell = result.hits.T
    return primary + start, np.zeros(len(primary), np.int64), region, cell, result.energy


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
    simulator: RangedSimulator,
    seed: int,
) -> Columns:
    if not len(rows):
        none = np.zeros(0, np.int64)
        return none, none, none, none, np.zeros(0)
    # All regions that a simulator answers in have one detector: any of them knows the cells.
    region = setup.regions[int(requests.region[rows[0]])]
    particle, cell, energy = answer(simulator, region, requests.entries.take(rows), seed)
    which = rows[particle]
    return (
        requests.primary[which],
        np.full(len(which), origin),
        requests.region[which],
        cell,
        energy,
    )


def _audit(results: Sequence[ChunkResult], job: HybridJob) -> Audit:
    rows = np.concatenate([result.audit for result in results])
    events = np.zeros((job.primaries.n_events, rows.shape[1]))
    np.add.at(events, job.primaries.event, rows)
    return Audit(*events.T)
