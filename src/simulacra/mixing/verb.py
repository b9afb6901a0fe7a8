"""Overlay events: add events of a library to each of a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simulacra.datasets.shared_events import digests_of, shared
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events, require_same_detector
from simulacra.files.provenance import provenance
from simulacra.mixing.cells import added, require_fixed
from simulacra.mixing.chambers import ChamberEvents, whole_events
from simulacra.mixing.draws import Draws, Law
from simulacra.mixing.library import Library

OVERLAY = "overlay"
"""In the provenance: a list of what was overlaid, one after another."""


def _anything(detector: Detector) -> None:
    """Refuse nothing."""


MIXERS: Mapping[
    str,
    tuple[Callable[[Detector], None], Callable[[Events, Events, Draws], Events | ChamberEvents]],
] = {
    "calorimeter": (require_fixed, added),
    "tpc": (_anything, whole_events),
}
"""By kind of detector: what refuses a read-out, and what makes the events."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A library, and the law by which its events are drawn.

    Attributes:
        library: what is drawn from.
        law: how many, which.
    """

    library: Library
    law: Law

    @classmethod
    def of(
        cls,
        detector: Detector,
        library: Events | str | Path | Sequence[str],
        mean: float | None = None,
        number: int | None = None,
        seed: int = 1,
    ) -> Overlay:
        """Return what is overlaid on events of a detector; the arguments are :func:`overlay`'s.

        Raises:
            EventsError: as for :func:`overlay`.
        """
        law = Law.of(mean, number, seed)
        if detector.kind not in MIXERS:
            msg = f"nothing here overlays events of a {detector.kind} ({detector.name})"
            raise EventsError(msg)
        MIXERS[detector.kind][0](detector)
        return cls(Library.of(library, detector), law)

    def onto(
        self, events: Events, first: int = 0, facts: Mapping[str, Any] | None = None
    ) -> Events | ChamberEvents:
        """Return events with what is drawn for them.

        Args:
            events: of the library's detector.
            first: the number of the first one in a sample that comes in pieces.
            facts: what their provenance says of it; None: :meth:`facts` of these events alone.
        """
        require_same_detector(self.library.events.detector, events.detector)
        if self.law.adds_nothing and events.detector.kind != "tpc":
            return events
        draws = self.law.drawn(slice(first, first + len(events)), len(self.library.events))
        made = MIXERS[events.detector.kind][1](events, self.library.events, draws)
        record = self.facts(len(events)) if facts is None else facts
        earlier = events.provenance.get(OVERLAY, ())
        return replace(made, provenance={**events.provenance, OVERLAY: [*earlier, record]})

    def over(self, pieces: Iterable[Events], n: int) -> Iterator[Events]:
        """Yield the ``n`` events of a calorimeter that come in pieces, with what is drawn."""
        first, facts = 0, self.facts(n)
        for piece in pieces:
            made = self.onto(piece, first, facts)
            assert isinstance(made, Events)
            yield made
            first += len(piece)

    def facts(self, n: int) -> dict[str, Any]:
        """Return what a file of ``n`` events says: library, digest, law, seed, events drawn."""
        law = {"number": self.law.number} if self.law.mean is None else {"mean": self.law.mean}
        return provenance(
            OVERLAY,
            library=list(self.library.sources),
            seed=self.law.seed,
            drawn=self.law.total(n),
            **law,
        )


def overlay(
    events: Events,
    library: Events | str | Path | Sequence[str],
    *,
    mean: float | None = None,
    number: int | None = None,
    seed: int = 1,
    on_note: Callable[[str], None] = lambda _: None,
) -> Events | ChamberEvents:
    """Add events of a library to each event: pile-up, or further particles.

    The events of the library are drawn with replacement. The conditions stay those of ``events``.
    Calorimeters that stand still are added cell by cell, in double precision. Of a TPC whole events
    are made, in which clusters that the read-out could not tell apart are merged.

    Args:
        events: one after another gets its own draws; the first ones do not depend on later ones.
        library: events of the same detector, or files: a path, ``sample:train``, a pattern.
        mean: of the Poisson distribution of the number that an event gets; with 0 a calorimeter's
            events are returned as they are.
        number: instead of a mean, exactly how many each event gets.
        seed: the source of all random numbers.
        on_note: called with what a user must know.

    Raises:
        EventsError: both or none of ``mean`` and ``number`` are given, the detectors differ, a
            window or voxels follow the particle, or the kind of detector has no overlay.

    Example:
        >>> from simulacra import build
        >>> photon = build("gflash", "clic-ecal", particle="gamma").generate("10GeV", 1, 1)
        >>> mixed = overlay(photon, photon, number=2, seed=4)    # itself, twice
        >>> float(mixed["showers"].sum() / photon["showers"].sum()).__round__(1)
        3.0
    """
    chosen = Overlay.of(events.detector, library, mean, number, seed)
    if same := shared(digests_of(events), digests_of(chosen.library.events)):
        on_note(f"{same} of the {len(events)} events are in the library, too")
    if any(record.get("seed") == seed for record in events.provenance.get(OVERLAY, ())):
        on_note(f"an earlier overlay of these events has seed {seed}, too: both draw alike")
    return chosen.onto(events)
