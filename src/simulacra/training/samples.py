"""The events of a run card: joined, told apart by particle, and independent of each other."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simulacra.datasets.samples import open_parts
from simulacra.datasets.shared_events import Digests, digests_of, repeated, shared
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events, told_apart
from simulacra.io.joined import RowsOf, whole
from simulacra.io.split import split_events
from simulacra.particles import names_of
from simulacra.training.card import Card
from simulacra.training.streams import (
    Stream,
    Training,
    gone_through,
    is_large,
    known_of,
    selecting_rows,
)

SHARES = (90.0, 10.0)
"""Percent of the events that are learned from and that select, where a card gives one sample."""


def training_events(card: Card, detector: Detector) -> tuple[Training, Events]:
    """Return the events to learn from, in memory or as a stream, and those to select an epoch by.

    Without events for the selection a tenth of the others is drawn at random with the card's seed,
    as ``simulacra convert --split 90/10`` does; no event is in both.

    Where the events are of several particles, both have the particle as a condition: the categories
    are the detector's, where it declares them, or else the particles of the training events.

    Raises:
        EventsError: files cannot be used or be told apart by their particles, a sample is of
            several particles and does not say which event is of which, the two samples are of
            different particles, or are the same events.

    Warns:
        UserWarning: events occur twice, nothing names the particle of several files, or the
            selection does not have all particles.
    """
    train, selection = _learned(card, detector)
    if card.data.selection is not None:
        selection = _read(_opened(card.data.selection, detector), card.data.selection)
    assert selection is not None
    if len(card.data.train) > 1 and not known_of(train).particles:
        warnings.warn(
            "data.train: no file names its particle; all of them are taken as of one kind",
            stacklevel=2,
        )
    known, selection = _of_same_particles(known_of(train), selection, detector)
    if isinstance(train, Stream):
        particles = known.detector.particles
        sample = train.sample.labelled(particles) if particles else train.sample
        train = replace(train, known=known, sample=sample)
        learned = train.digests
    else:
        train, learned = known, digests_of(known)
    _require_independent(learned, digests_of(selection), len(train), len(selection))
    return train, selection


def _learned(card: Card, detector: Detector) -> tuple[Training, Events | None]:
    """Return the events to learn from, and those taken from them where the card gives no others."""
    parts = _opened(card.data.train, detector)
    split = card.data.selection is None
    streams = is_large(parts) if card.data.stream is None else card.data.stream
    if streams:
        n, share = sum(map(len, parts)), SHARES[1] / sum(SHARES)
        rows = selecting_rows(n, share, card.seed) if split else np.zeros(0, np.int64)
        stream, selection = gone_through(parts, card.seed, card.data.fit_events, rows)
        name = ", ".join(card.data.train)
        told_apart([stream.known], [name])
        _require_known_places(stream.known, name)
        return stream, selection if split else None
    train = _read(parts, card.data.train)
    if not split:
        return train, None
    of_train = split_events(train, SHARES, card.seed)
    return of_train["train"], of_train["test"]


def stream_note(train: Training) -> tuple[str, ...]:
    """Return a note on events that are not in memory."""
    if not isinstance(train, Stream):
        return ()
    return (
        f"{len(train)} events are read from their files as they are learned from; transforms are "
        f"fitted to {len(train.sample)} of them, drawn at random",
    )


def split_note(card: Card, train: Training, selection: Events) -> tuple[str, ...]:
    """Return a note on the events that select, where the card does not give them."""
    if card.data.selection is not None:
        return ()
    if isinstance(train, Stream):
        return (f"{len(selection)} other events of the same files, at random, select the step",)
    source = ", ".join(card.data.train)
    shares = "/".join(f"{share:g}" for share in SHARES)
    return (
        f"{len(selection)} of {len(train) + len(selection)} events of {source} select the step, "
        f"the others are learned from: drawn at random as by simulacra convert --split {shares} "
        f"--seed {card.seed}",
    )


def _opened(sources: Sequence[str], detector: Detector) -> list[RowsOf]:
    """Return all files; who declares the particle does not ask it of each file."""
    bare = detector.without_particles()
    return [part for source in sources for part in open_parts(source, bare)]


def _read(parts: Sequence[RowsOf], sources: Sequence[str]) -> Events:
    """Return the events of all files."""
    events = whole(parts)
    name = ", ".join(sources)
    told_apart([events], [name])
    _require_known_places(events, name)
    return events


def _require_known_places(events: Events, name: str) -> None:
    """Refuse events that enter anywhere where no condition says where."""
    if events.detector.leaves_places_open and _enter_anywhere(events.provenance):
        msg = (
            f"{name}: in this hybrid run particles enter anywhere, and no condition says where: "
            "nothing learned from it would be in its place; simulate with a detector that declares "
            "the impact"
        )
        raise EventsError(msg)


def _enter_anywhere(facts: Mapping[str, Any]) -> bool:
    """Return whether events are of a hybrid run that reads out all cells of a region's layers.

    Unless each event has one particle that enters straight in the middle of the face.
    """
    if parts := facts.get("joined", ()):
        return any(_enter_anywhere(part.get("provenance", {})) for part in parts)
    card = facts.get("card", {}) if facts.get("step") == "hybrid" else {}
    regions, particles = card.get("regions", {}).values(), card.get("particles", ())
    if not any(region["readout"] == "layers" for region in regions):
        return False
    central = all(not any(region["position"][:2]) and not region["turn"] for region in regions)
    aimed = [not any(map(any, (p["x"], p["y"], p["theta"]))) for p in particles]
    alone = sum(particle["count"] for particle in particles) == 1
    return not (central and alone and all(aimed))


def _of_same_particles(
    train: Events, selection: Events, detector: Detector
) -> tuple[Events, Events]:
    """Return both samples with the particle as a condition, where it has to be one."""
    categories = detector.particles or train.detector.particles
    if not categories and selection.detector.particles:
        categories = train.particles
    learned, chosen = train.particles, selection.particles
    if learned and (others := [pdg for pdg in chosen if pdg not in learned]):
        msg = (
            f"data.selection holds {names_of(others)}, data.train only {names_of(learned)}: "
            "nothing can be selected by a particle that is not learned"
        )
        raise EventsError(msg)
    if not categories:
        return train, selection
    labelled = []
    for name, events in (("train", train), ("selection", selection)):
        try:
            labelled.append(events.labelled(categories))
        except EventsError as error:
            msg = f"data.{name}: {error}"
            raise EventsError(msg) from None
    if missing := [pdg for pdg in learned if pdg not in chosen]:
        warnings.warn(
            f"data.train holds {names_of(learned)}, data.selection no {names_of(missing)}: "
            f"the epoch is selected without {names_of(missing)}",
            stacklevel=3,
        )
    return labelled[0], labelled[1]


def _require_independent(learned: Digests, chosen: Digests, train: int, selection: int) -> None:
    """Refuse the same events for both samples; say how many of each one's events occur twice."""
    common = shared(chosen, learned)
    if common and common == len(chosen) and shared(learned, chosen) == len(learned):
        msg = (
            "data.train and data.selection hold the same events: select by others "
            "(another --seed of simulacra simulate gives independent ones)"
        )
        raise EventsError(msg)
    for count, what in (
        (repeated(learned), f"of {train} events of data.train occur twice"),
        (repeated(chosen), f"of {selection} events of data.selection occur twice"),
        (common, f"of {selection} events of data.selection are in data.train, too"),
    ):
        if count:
            msg = f"{count} {what}: copies of a file, or jobs with the same seed?"
            warnings.warn(msg, stacklevel=3)
