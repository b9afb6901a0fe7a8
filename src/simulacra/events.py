"""Events: conditions, the detector's response to them, the detector, and where they come from."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

import numpy as np

from simulacra.arrays import Array, Rows, row_index
from simulacra.columns import LARGEST
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.faces.columns import column_text
from simulacra.faces.lazy import late
from simulacra.faces.text import Described, provenance_facts
from simulacra.particles import PDG, in_order, names_of, pdg_id, recorded_particles

if TYPE_CHECKING:
    import awkward
    import hist
    import pandas
    from matplotlib.figure import Figure

PIECE = 10_000_000
"""Numbers of the response in a piece of a large sample: 80 MB in double precision."""
ROWS = 1024
"""Events that the native format compresses together: pieces are multiples of them."""


_plot = late("simulacra.drawings:draw_event")
_to_awkward = late("simulacra.io.awkward_array:to_awkward")
_to_hist = late("simulacra.observables.frames:to_hist")
_to_pandas = late("simulacra.observables.frames:to_pandas")


@dataclass(frozen=True, slots=True, repr=False)
class Events(Described):
    """A sample of events of one detector.

    ``events["energy"]`` is a condition or an array of the response; ``events[:100]``,
    ``events[mask]`` and ``events[indices]`` are events with the same provenance.

    Attributes:
        conditions: the columns that the detector declares.
        response: the arrays that the detector reads out, first axis the event; a calorimeter has
            ``showers`` (n, cells) in MeV.
        detector: the detector.
        provenance: how the events were made: JSON-like facts.
    """

    conditions: Conditions
    response: Mapping[str, Array]
    detector: Detector
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays = self.detector.response_arrays
        if set(self.response) != set(arrays):
            msg = (
                f"{self.detector.name} reads out {', '.join(arrays)}; "
                f"the events have {', '.join(self.response) or 'nothing'}"
            )
            raise EventsError(msg)
        for name, array in arrays.items():
            expected = (len(self.conditions), *array.shape)
            if self.response[name].shape != expected:
                msg = (
                    f"{name} has the shape {self.response[name].shape}, "
                    f"{self.detector.name} needs {expected}"
                )
                raise EventsError(msg)
        object.__setattr__(self, "response", MappingProxyType(dict(self.response)))
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))

    def __len__(self) -> int:
        return len(self.conditions)

    def __reduce__(self) -> tuple[Any, ...]:
        facts = dict(self.response), self.detector, dict(self.provenance)
        return type(self), (self.conditions, *facts)  # worker processes get plain dicts

    @overload
    def __getitem__(self, name: str) -> Array: ...
    @overload
    def __getitem__(self, name: Rows) -> Self: ...
    def __getitem__(self, name: str | Rows) -> Array | Self:
        if not isinstance(name, str):
            return self.take(row_index(name))
        if name in self.response:
            return self.response[name]
        if name in self.conditions:
            return self.conditions[name]
        msg = f"no {name!r} among {', '.join([*self.response, *self.conditions])}"
        raise EventsError(msg)

    def describe(self) -> dict[str, Any]:
        """Return the facts on the events: how many, of what, with which conditions, from where."""
        return event_facts(self, self.conditions)

    def plot(self, event: int = 0) -> Figure:
        """Draw one event: a calorimeter's layers with their cells, or a track's clusters.

        Raises:
            EventsError: there is no such event.
        """
        figure: Figure = _plot(self, event)
        return figure

    def to_pandas(self, observables: Sequence[str] | None = None) -> pandas.DataFrame:
        """Return a table with a row for each event: its conditions and some observables.

        Args:
            observables: names from :func:`simulacra.observables_of`; None: the response and the
                energy of each layer of a calorimeter, clusters and energy loss of a track.

        Raises:
            MissingDependencyError: pandas is not installed.
            EventsError: the detector has no such observable.
        """
        frame: pandas.DataFrame = _to_pandas(self, observables)
        return frame

    def to_awkward(self) -> awkward.Array:
        """Return a record for each event: its conditions and its response, without empty pad rows.

        Raises:
            MissingDependencyError: awkward is not installed.
        """
        array: awkward.Array = _to_awkward(self)
        return array

    def to_hist(self, name: str, bins: int | Sequence[float] | None = None) -> hist.Hist[Any]:
        """Return the histogram of an observable or of a condition.

        Args:
            name: of an observable (:func:`simulacra.observables_of`) or of a condition.
            bins: their number or their edges; None: the binning of the validation.

        Raises:
            EventsError: the detector has neither an observable nor a condition of this name, or
                there are no finite values.
        """
        histogram: hist.Hist[Any] = _to_hist(self, name, bins)
        return histogram

    def take(self, index: slice | Array) -> Self:
        """Return the events of ``index``: a slice, positions or a Boolean mask."""
        response = {name: array[index] for name, array in self.response.items()}
        return type(self)(self.conditions.take(index), response, self.detector, self.provenance)

    @property
    def particles(self) -> tuple[int, ...]:
        """The particles that the events begin with, by PDG id; empty where nothing says them."""
        if PDG in self.conditions:
            return in_order(np.unique(self.conditions[PDG]).astype(int).tolist())
        return recorded_particles(self.provenance)

    def named(self, particle: str) -> Events:
        """Return the events with the particle that they all are of in their provenance.

        Raises:
            EventsError: they say themselves that they are of others.
            SimulacraError: there is no such particle.
        """
        pdg = pdg_id(particle)
        if self.particles not in ((), (pdg,)):
            msg = f"the events are of {names_of(self.particles)}, not of {particle}"
            raise EventsError(msg)
        facts = {**self.provenance, "particle": particle, "pdg": pdg}
        return Events(self.conditions, self.response, self.detector, facts)

    def labelled(self, particles: Sequence[int]) -> Events:
        """Return the events with their particle as the condition ``pdg``.

        Args:
            particles: the PDG ids that the condition can have.

        Raises:
            EventsError: nothing says which event is of which particle, or one is none of these.
        """
        column = self.conditions.get(PDG)
        if column is not None and self.detector.particles == tuple(particles):
            return self
        if column is None:
            if len(self.particles) != 1:
                held = names_of(self.particles)
                msg = f"nothing says which event is of which particle ({held or 'none is named'})"
                raise EventsError(msg)
            column = np.full(len(self), self.particles[0])
        if others := set(np.unique(column).astype(int).tolist()).difference(particles):
            msg = f"they hold {names_of(in_order(others))}, not only {names_of(particles)}"
            raise EventsError(msg)
        conditions = Conditions({**self.conditions, PDG: column.astype(np.int32)})
        detector = self.detector.with_particles(particles)
        return Events(conditions, self.response, detector, self.provenance)

    @classmethod
    def concatenate(cls, parts: Sequence[Events], names: Sequence[str] = ()) -> Self:
        """Return the events of all parts, which must be of one detector.

        Parts of different particles get the particle as a condition, ``pdg``.

        Args:
            parts: what is joined.
            names: what messages call the parts.

        Raises:
            EventsError: there is no part, the detectors differ, or they are a mixture of particles
                in which nothing says which event is of which.
        """
        if not parts:
            msg = "no events to join"
            raise EventsError(msg)
        require_same_detector(parts[0].detector, *(part.detector for part in parts[1:]))
        if particles := told_apart(parts, names):
            parts = [part.labelled(particles) for part in parts]
        conditions = Conditions.concatenate([part.conditions for part in parts])
        response = {
            name: np.concatenate([part.response[name] for part in parts])
            for name in parts[0].response
        }
        facts = dict(parts[0].provenance)
        if particles and recorded_particles(facts):
            facts |= {"particle": names_of(particles), "pdg": None}
        return cls(conditions, response, parts[0].detector, facts)

    def check(self) -> None:
        """Raise an :class:`EventsError` where a condition or a response is not sensible."""
        self.conditions.check(self.detector)
        for name, array in self.response.items():
            bad = int(np.count_nonzero(~np.isfinite(array)))
            if bad:
                msg = f"{name} holds {bad} values that are not finite"
                raise EventsError(msg)
            if array.dtype.itemsize > 4 and array.size and _largest(array) > float(LARGEST):
                msg = f"{name} holds {_largest(array):g}, which is beyond single precision"
                raise EventsError(msg)

    def check_signs(self) -> None:
        """Raise an :class:`EventsError` where a response is negative that has no sign."""
        for name, array in self.detector.response_arrays.items():
            negative = int(np.count_nonzero(array.negative(self.response[name])))
            if negative:
                msg = (
                    f"{name} holds {negative} negative values, which no model here learns; "
                    "set what is below a noise threshold to zero first"
                )
                raise EventsError(msg)


def _largest(array: Array) -> float:
    """Return the largest absolute value, without a copy of the array."""
    return max(abs(float(array.min())), abs(float(array.max())))


def event_facts(source: EventSource, conditions: Conditions) -> dict[str, Any]:
    """Return the facts on events, in memory or in a file.

    Args:
        source: the events.
        conditions: those of all events, or of the first ones of a large file.
    """
    detector = source.detector
    if PDG in conditions:
        named = column_text(PDG, conditions[PDG], detector.conditions.get(PDG))
    else:
        named = names_of(particles_of(source)) or "not named"
    looked = "" if len(conditions) == len(source) else f" (of the first {len(conditions)})"
    return {
        "events": len(source),
        "detector": f"{detector.name} ({detector.kind})",
        "particles": named,
        f"conditions{looked}": {
            name: column_text(name, column, detector.conditions.get(name))
            for name, column in conditions.items()
            if name != PDG
        },
        "response": detector.response_facts,
        "provenance": provenance_facts(source.provenance),
    }


class EventSource(Protocol):
    """Events to go through piece by piece, any number of times: in memory, or in a file."""

    @property
    def detector(self) -> Detector:
        """The detector."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the events were made."""

    def __len__(self) -> int: ...

    def take(self, index: slice) -> Events:
        """Return some events, one after another."""


def numbers_of(detector: Detector) -> int:
    """Return how many numbers the response of an event has."""
    return sum(math.prod(array.shape) for array in detector.response_arrays.values())


def spans(source: EventSource) -> list[slice]:
    """Return the places of pieces: as many events as a little memory holds.

    Where all are few, they are one piece. None is much smaller than the others, so that what a
    reader checks of a piece is never decided by a handful of events.
    """
    step = max(PIECE // (max(numbers_of(source.detector), 1) * ROWS), 1) * ROWS
    starts = [0, *range(step, len(source) - step // 2, step)]
    return [slice(*ends) for ends in itertools.pairwise([*starts, len(source)])]


def pieces(source: EventSource) -> Iterator[tuple[slice, Events]]:
    """Yield events in order, piece by piece, with their places."""
    for span in spans(source):
        yield span, source.take(span)


def particles_of(source: EventSource) -> tuple[int, ...]:
    """Return the particles of a source, by PDG id, without going through its events.

    Those that its condition can have, or those that its provenance names; of events in memory,
    those that there are.
    """
    if isinstance(source, Events):
        return source.particles
    return source.detector.particles or recorded_particles(source.provenance)


def told_apart(sources: Sequence[EventSource], names: Sequence[str] = ()) -> tuple[int, ...]:
    """Return the particles of which a condition must tell the events; empty where none need be.

    Args:
        sources: what is joined.
        names: what messages call them.

    Raises:
        EventsError: nothing says which event is of which particle.
    """
    declared = [pdg for source in sources for pdg in source.detector.particles]
    found = [source.detector.particles or particles_of(source) for source in sources]
    labelled = [bool(source.detector.particles) or _has_column(source) for source in sources]
    if not declared and len(set(found)) == 1 and len(found[0]) <= 1:
        return ()
    for number, (ids, label) in enumerate(zip(found, labelled, strict=True)):
        if not label and len(ids) != 1:
            name = names[number] if names else f"sample {number + 1}"
            held = f"holds {names_of(ids)}" if ids else "names no particle"
            msg = (
                f"{name} {held} and does not say which event is of which: an unlabelled mixture; "
                "label each file of one particle with simulacra convert --particle NAME, or "
                "simulate them together"
            )
            raise EventsError(msg)
    return tuple(dict.fromkeys([*declared, *in_order(pdg for ids in found for pdg in ids)]))


def _has_column(source: EventSource) -> bool:
    return isinstance(source, Events) and PDG in source.conditions


def require_same_detector(expected: Detector, *others: Detector) -> None:
    """Raise an :class:`EventsError` unless all detectors read out and build the same.

    Warns:
        UserWarning: they do, under different names.
    """
    for other in others:
        if other.readout_fingerprint == expected.readout_fingerprint:
            if other.name != expected.name:
                msg = f"{other.name} and {expected.name} read out and build the same: taken as one"
                warnings.warn(msg, stacklevel=3)
        else:
            same_name = " (same name, other geometry)" if other.name == expected.name else ""
            msg = f"the events are of detector {other.name}, not of {expected.name}{same_name}"
            raise EventsError(msg)
