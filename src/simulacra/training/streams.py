"""Training events that stay in their files: gone through once, then read as they are learned from.

The pass checks every event, keeps the conditions, and takes out what has to be in memory: the
events that select, and a sample that transforms are fitted to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simulacra.arrays import BoolArray, IntArray
from simulacra.conditions import Conditions
from simulacra.datasets.shared_events import Digests, event_digests
from simulacra.detectors import Detector
from simulacra.events import Events, EventSource, numbers_of, pieces
from simulacra.files.memory import memory
from simulacra.io.joined import Joined, RowsOf

PART_OF_MEMORY = 8
"""Events that would take more than this part of the machine's memory are streamed; learning from
events in memory takes some copies of them."""
FITTED_NUMBERS = 16_000_000
"""Numbers of the response that transforms are fitted to, unless the card says how many events."""
MOST_FITTED = 50_000
"""Events that transforms are fitted to at most, unless the card says how many."""
MOST_SELECTING = 10_000
"""Events of a stream that select the step at most, where the card does not give them."""
FITTING, SELECTING = 3, 4
"""Of a seed, the streams that samples are drawn from."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Training events in files.

    Attributes:
        source: all events of the files.
        left_out: which of these are not learned from, since they select (n,).
        known: those that are learned from, with their conditions and without their response, which
            is zero and takes no memory.
        sample: some of them, in memory.
        digests: of those that can be known again.
        sha256: of all of them.
    """

    source: EventSource
    left_out: BoolArray
    known: Events
    sample: Events
    digests: Digests = field(repr=False)
    sha256: str

    def __len__(self) -> int:
        return len(self.known)

    @property
    def detector(self) -> Detector:
        """The detector, with the particles that a condition tells apart."""
        return self.known.detector

    def take(self, rows: slice) -> Events:
        """Return the events of consecutive rows of the files that are learned from."""
        events = self.source.take(rows).take(~self.left_out[rows])
        particles = self.detector.particles
        return events.labelled(particles) if particles else events


Training = Events | Stream
"""Events to learn from: in memory, or in files."""


def known_of(train: Training) -> Events:
    """Return events with their conditions; of a stream, the response is zero."""
    return train.known if isinstance(train, Stream) else train


def sample_of(train: Training) -> Events:
    """Return events, or a sample of a stream."""
    return train.sample if isinstance(train, Stream) else train


def is_large(parts: Sequence[RowsOf]) -> bool:
    """Return whether the events of parts take too much of the memory to lie in it."""
    size = sum(4 * len(part) * numbers_of(part.detector) for part in parts)
    return size > memory() / PART_OF_MEMORY


def gone_through(
    parts: Sequence[RowsOf], seed: int, fit_events: int | None, selecting: IntArray
) -> tuple[Stream, Events]:
    """Go through the events of files; return them as a stream, and those that select.

    Args:
        parts: of the files, which are of one detector.
        seed: of the sample.
        fit_events: events of the sample; None for as many as hold :data:`FITTED_NUMBERS`.
        selecting: rows that select and are not learned from, in ascending order.

    Raises:
        EventsError: an event is not finite, or negative where it cannot be.
    """
    source: EventSource = parts[0] if len(parts) == 1 else Joined(parts)
    left_out = np.zeros(len(source), bool)
    left_out[selecting] = True
    learned = np.flatnonzero(~left_out)
    n = fit_events or min(FITTED_NUMBERS // numbers_of(source.detector), MOST_FITTED)
    rng = np.random.default_rng([seed, FITTING])
    sampled = np.zeros(len(source), bool)
    sampled[rng.choice(learned, min(max(n, 2), len(learned)), replace=False)] = True
    conditions, digests, samples, selections = [], [], [], []
    digest = hashlib.sha256(source.detector.fingerprint.encode())
    for rows, events in pieces(source):
        events.check()
        events.check_signs()
        kept = events.take(~left_out[rows])
        conditions.append(kept.conditions)
        digests.append(event_digests(kept))
        samples.append(events.take(sampled[rows]))
        selections.append(events.take(left_out[rows]))
        _update(digest, kept)
    sample = Events.concatenate(samples)
    known = _without_response(Conditions.concatenate(conditions), sample, source)
    found = np.concatenate(digests)
    stream = Stream(source, left_out, known, sample, found, digest.hexdigest())
    return stream, Events.concatenate(selections)


def selecting_rows(n: int, share: float, seed: int) -> IntArray:
    """Return the rows of ``n`` events that select, in ascending order: a share of all."""
    size = min(round(share * n), MOST_SELECTING)
    rng = np.random.default_rng([seed, SELECTING])
    return np.sort(rng.choice(n, size, replace=False))


def _without_response(conditions: Conditions, sample: Events, source: EventSource) -> Events:
    n = len(conditions)
    response = {
        name: np.broadcast_to(np.zeros((), array.dtype), (n, *array.shape[1:]))
        for name, array in sample.response.items()
    }
    return Events(conditions, response, sample.detector, source.provenance)


def _update(digest: hashlib._Hash, events: Events) -> None:
    for arrays in (events.conditions.columns, events.response):
        for name in sorted(arrays):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(arrays[name]).tobytes())
