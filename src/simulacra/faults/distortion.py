"""Apply the faults of a scenario to events; the truth goes into their provenance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.detectors import Detector
from simulacra.events import Events, EventSource
from simulacra.faults.fault import Response, Subject
from simulacra.faults.scenario import ReadyStep, Scenario
from simulacra.files.provenance import provenance
from simulacra.statistics.series import series

STREAM = 11
"""Of a seed, the stream that faults are drawn from."""
TRUTH = "distorted"
"""Key of the provenance that lists the scenarios that events went through."""


def distort(events: Events, scenario: Scenario | str | Path, seed: int = 1) -> Events:
    """Return events with the faults of a scenario; the conditions stay as they are.

    Args:
        events: of a calorimeter or a TPC.
        scenario: a scenario, or the path of its YAML file.
        seed: the source of all random numbers.

    Returns:
        The distorted events. A step of strength 0 changes no bit. The provenance keeps that of the
        events and adds the scenario with all strengths and places under ``distorted``.

    Raises:
        DetectorError: there are no faults for detectors of this kind.
        CardError: the scenario is wrong, or the detector has no such fault or place.

    Example:
        >>> from simulacra.datasets.samples import load_sample
        >>> from simulacra.faults.scenario import Step
        >>> lower = Scenario(name="low", steps=(Step(fault="gain", strength=-0.5),))
        >>> photons = load_sample("test")[:3]
        >>> float(distort(photons, lower)["showers"].sum() / photons["showers"].sum())
        0.5
    """
    loaded = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    return Events.concatenate(list(distorted_pieces(events, loaded, seed)))


def distorted_pieces(source: EventSource, scenario: Scenario, seed: int) -> Iterator[Events]:
    """Yield the distorted events in pieces; equal seeds give equal events for any source.

    Raises:
        DetectorError, CardError: as :func:`distort`, before the first piece.
    """
    steps = scenario.for_detector(source.detector)
    facts = {**source.provenance, TRUTH: _truth(source, scenario, seed)}
    return _pieces(source, steps, facts, seed)


def _pieces(
    source: EventSource, steps: Sequence[ReadyStep], facts: dict[str, Any], seed: int
) -> Iterator[Events]:
    if not len(source):
        empty = source.take(slice(0, 0))
        yield Events(empty.conditions, empty.response, empty.detector, facts)
    for rows, own in series(len(source), seed):
        events = source.take(rows)
        response = _struck(events, steps, own)
        yield Events(events.conditions, response, events.detector, facts)


def _struck(events: Events, steps: Sequence[ReadyStep], seed: int) -> Response:
    """Return the response after all steps; each step has a random stream of its own."""
    for number, ready in enumerate(steps):
        if ready.step.strength == 0:
            continue
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM, number)))
        where = ready.place.where(events)
        subject = Subject(events.response, where, ready.step.strength, events.detector, rng)
        response = ready.fault.apply(subject)
        kept = {name: response[name].astype(a.dtype) for name, a in events.response.items()}
        events = Events(events.conditions, kept, events.detector, events.provenance)
    return events.response


def _truth(source: EventSource, scenario: Scenario, seed: int) -> list[dict[str, Any]]:
    earlier = source.provenance.get(TRUTH, [])
    content = scenario.model_dump(mode="json")
    return [*earlier, provenance("distort", scenario=content, seed=seed)]


def notes_on(scenario: Scenario, detector: Detector) -> tuple[str, ...]:
    """Return what a user must read of a scenario's places in a detector."""
    steps = scenario.for_detector(detector)
    return tuple(dict.fromkeys(note for ready in steps for note in ready.place.notes(detector)))
