"""A hybrid run from its card to its file: Geant4 in workers, then the simulators' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from simulacra.detectors import Calorimeter, load_detector
from simulacra.detectors.calorimeter.beam import limits
from simulacra.engines import Parts
from simulacra.errors import CardError, EventsError, SimulacraError, SimulatorError
from simulacra.events import Events
from simulacra.files.progress import OnProgress, silent
from simulacra.files.provenance import provenance
from simulacra.fullsim.calorimeter.world import MARGIN
from simulacra.fullsim.production import complete
from simulacra.fullsim.work import ChunkResult, load_result
from simulacra.hybrid.assemble import assemble
from simulacra.hybrid.card import HybridCard
from simulacra.hybrid.events import HybridEvents
from simulacra.hybrid.file import require_hdf5, write_hybrid
from simulacra.hybrid.job import HybridJob
from simulacra.hybrid.primaries import Primaries, draw_primaries
from simulacra.hybrid.regions import Region, require_apart
from simulacra.hybrid.rules import FULL
from simulacra.hybrid.setup import Setup
from simulacra.hybrid.simulators import load_simulators, require_fitting
from simulacra.mixing.verb import Overlay
from simulacra.simulators.protocol import Simulator


def simulate_hybrid(
    card: HybridCard,
    output: Path,
    *,
    simulators: Mapping[str, Simulator] | None = None,
    primaries: Primaries | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    on_progress: OnProgress = silent,
) -> HybridEvents:
    """Simulate the events of a card with Geant4 and its fast simulators, and write them to a file.

    A run that was interrupted is continued by the same call; the result does not depend on where it
    was interrupted, nor on the number of workers. Worker processes import the main module, so a
    script calls this below ``if __name__ == "__main__":``.

    Args:
        card: the card.
        output: the file; its ending is that of HDF5.
        simulators: by their names in the card, where they are not to be loaded from its folders.
        primaries: what the events begin with, instead of the card's particles.
        workers: number of local processes.
        executor: where to run instead; its workers must not be shared with other work.
        on_progress: called with (``Geant4``, primaries done, primaries in all).

    Raises:
        MissingDependencyError: Geant4 or its data are not installed.
        SimulacraError: the card cannot be used, a simulator does not fit the rules, or a worker
            died; finished chunks are kept.
    """
    require_hdf5(output)
    named = (*card.simulators, *card.regions)
    streams = np.random.SeedSequence(card.seed).spawn(2 + len(named))
    if primaries is None:
        primaries = draw_primaries(card.particles, card.events, streams[0])
    if simulators is None:
        simulators = load_simulators({name: card.simulators[name] for name in card.answering})
    setup = setup_of(card, primaries, simulators)
    job = HybridJob(setup, primaries, streams[1])
    seeds = [int(stream.generate_state(1)[0]) for stream in streams[2:]]
    own = dict(zip(card.simulators, seeds, strict=False))
    answering = {name: (simulators[name], own[name]) for name in card.answering}
    overlays = _overlays(card, setup.regions, seeds[len(card.simulators) :])
    begun = perf_counter()
    with Parts.of(job.identity, output) as parts:
        complete(job, parts, workers, executor, on_progress)
        seconds = perf_counter() - begun
        results = [load_result(parts, number) for number in range(len(job.bounds))]
        facts = _facts(card, primaries.n_events, results[0])
        events = assemble(job, results, (FULL, *card.simulators), answering, facts)
        read = {n: _overlaid(e, overlays.get(n)) for n, e in events.regions.items()}
        events = replace(events, regions=read, seconds={FULL: seconds, **events.seconds})
        write_hybrid(events, output)
        parts.remove()
    return events


def _overlays(
    card: HybridCard, regions: Sequence[Region], seeds: Sequence[int]
) -> dict[str, Overlay]:
    """Return what is added to the regions, by their names.

    Raises:
        SimulacraError: a library cannot be used, or is of another read-out.
    """
    found = {}
    for region, seed in zip(regions, seeds, strict=True):
        asked = card.regions[region.name].overlay
        if asked is None:
            continue
        read_out = region.layers if region.readout == "layers" else region.detector
        try:
            overlay = Overlay.of(read_out, asked.library, asked.mean, asked.number, seed)
        except SimulacraError as error:
            msg = f"regions.{region.name}.overlay: {error}"
            raise CardError(msg) from None
        found[region.name] = overlay
    return found


def _overlaid(events: Events, overlay: Overlay | None) -> Events:
    if overlay is None:
        return events
    made = overlay.onto(events)
    assert isinstance(made, Events)
    return made


def _facts(card: HybridCard, n: int, result: ChunkResult) -> dict[str, Any]:
    """Return what the file says of its origin."""
    return provenance(
        "hybrid",
        geant4=result.version,
        physics=card.physics,
        seed=card.seed,
        n=n,
        card=card.model_dump(mode="json"),
        **result.facts,
    )


def setup_of(card: HybridCard, primaries: Primaries, simulators: Mapping[str, Simulator]) -> Setup:
    """Return the world and the rules of a card.

    Raises:
        SimulacraError: the regions overlap, a simulator does not fit the rules, or a window does
            not fit the primaries.
    """
    if not len(primaries):
        msg = "no particles to simulate"
        raise EventsError(msg)
    if missing := set(card.answering).difference(simulators):
        msg = f"no simulator {min(missing)!r} was given"
        raise SimulatorError(msg)
    regions = tuple(_region(card, name) for name in card.regions)
    require_apart(regions)
    require_fitting(card.rules, regions, simulators, card.simulators)
    for region in regions:
        _require_aimed(region, primaries)
        if any(rule.is_fast and rule.covers(region.name) for rule in card.rules):
            _require_known_angle(region)
    ranges = {name: dict(simulators[name].ranges) for name in card.answering}
    own = {name: simulators[name].own_ranges for name in card.answering}
    seen = {name: simulators[name].seen for name in card.answering}
    size = _half_size(regions, primaries)
    return Setup(regions, card.rules, ranges, card.geant4, size, own, seen)


def _region(card: HybridCard, name: str) -> Region:
    content = card.regions[name]
    detector = load_detector(content.detector)
    if not isinstance(detector, Calorimeter) or not detector.has_matter:
        msg = f"regions.{name}: {detector.name} is no calorimeter that Geant4 could simulate"
        raise CardError(msg)
    return Region(name, detector, content.position, content.turn, content.readout)


def _require_aimed(region: Region, primaries: Primaries) -> None:
    """Raise a :class:`CardError` where a window has no impact of its own to lie around."""
    if region.readout != "window":
        return
    alone = np.array_equal(primaries.event, np.arange(primaries.n_events))
    enters, entries = primaries.entering(region)
    if not alone or not np.all(enters) or not np.all(region.is_read_out(entries)):
        msg = (
            f"regions.{region.name}: a window needs one particle per event, aimed at it, and must "
            "lie within the layers; read out the layers instead"
        )
        raise CardError(msg)
    if not np.all(region.flies_as_told(entries, region.conditions(entries))):
        msg = (
            f"regions.{region.name}: {region.detector.name} and its conditions do not say the "
            "directions in which particles enter; read out the layers instead"
        )
        raise CardError(msg)


def _require_known_angle(region: Region) -> None:
    """Raise a :class:`CardError` where simulators know only a beam that is always inclined.

    Rules measure angles from the normal of the face, where such a simulator has seen nothing.
    """
    beam = region.detector.beam
    if "theta" not in region.detector.conditions and not beam.is_straight:
        msg = (
            f"regions.{region.name}: simulators of {region.detector.name} know only its beam, "
            f"{limits(beam.theta)[0]:g} rad from the normal; a range of beam.theta would make it a "
            "condition"
        )
        raise CardError(msg)


def _half_size(regions: Sequence[Region], primaries: Primaries) -> tuple[float, float, float]:
    """Return half the edges of a world around all calorimeters and starting points, mm."""
    points = np.concatenate([*(region.corners for region in regions), primaries.position])
    x, y, z = (np.abs(points).max(axis=0) + MARGIN).tolist()
    return x, y, z
