"""Events: conditions, the detector's response to them, the detector, and where they come from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, Self

import numpy as np

from simulacra.arrays import Array
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import EventsError, SimulatorError

PIECE = 10_000_000
"""Numbers of the response in a piece of a large sample: 80 MB in double precision."""
ROWS = 1024
"""Events that the native format compresses together: pieces are multiples of them."""


@dataclass(frozen=True, slots=True)
class Events:
    """A sample of events of one detector.

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

    def __getitem__(self, name: str) -> Array:
        return self.response[name]

    def take(self, index: slice | Array) -> Self:
        """Return the events of ``index``: a slice, positions or a Boolean mask."""
        response = {name: array[index] for name, array in self.response.items()}
        return type(self)(self.conditions.take(index), response, self.detector, self.provenance)

    @classmethod
    def concatenate(cls, parts: Sequence[Events]) -> Self:
        """Return the events of all parts, which must be of one detector.

        Raises:
            EventsError: there is no part, or the detectors differ.
        """
        if not parts:
            msg = "no events to join"
            raise EventsError(msg)
        require_same_detector(parts[0].detector, *(part.detector for part in parts[1:]))
        conditions = Conditions.concatenate([part.conditions for part in parts])
        response = {
            name: np.concatenate([part.response[name] for part in parts])
            for name in parts[0].response
        }
        return cls(conditions, response, parts[0].detector, parts[0].provenance)

    def check(self) -> None:
        """Raise an :class:`EventsError` where a condition or a response is not sensible."""
        self.conditions.check(self.detector)
        for name, array in self.response.items():
            bad = int(np.count_nonzero(~np.isfinite(array)))
            if bad:
                msg = f"{name} holds {bad} values that are not finite"
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


class Shaped(Protocol):
    """The shape of an array for a single event."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the axis of the events."""


def filled(
    blocks: Iterable[Mapping[str, Array]], n: int, arrays: Mapping[str, Shaped]
) -> dict[str, Array]:
    """Return response arrays of ``n`` events in single precision from blocks of them, in order."""
    response: dict[str, Array] = {
        name: np.zeros((n, *array.shape), np.float32) for name, array in arrays.items()
    }
    start = 0
    for block in blocks:
        size = len(next(iter(block.values())))
        for name, array in response.items():
            array[start : start + size] = block[name]
        start += size
    return response


def possible(
    blocks: Iterable[Mapping[str, Array]], detector: Detector
) -> Iterator[Mapping[str, Array]]:
    """Yield a simulator's answers, block by block, as long as they can be a response.

    Raises:
        SimulatorError: a number is not finite, or is below zero where there is no sign.
    """
    for block in blocks:
        for name, array in detector.response_arrays.items():
            values = block[name]
            wrong = {"not finite": ~np.isfinite(values), "negative": array.negative(values)}
            for what, where in wrong.items():
                if where.any():
                    msg = (
                        f"the simulator's answers are {what} in {np.count_nonzero(where)} numbers "
                        f"of {name}: its training failed, or it is asked for what it cannot do"
                    )
                    raise SimulatorError(msg)
        yield block


def streamed(
    blocks: Iterable[Mapping[str, Array]],
    conditions: Conditions,
    detector: Detector,
    provenance: Mapping[str, Any],
) -> Iterator[Events]:
    """Yield the events of blocks of answers to conditions, in order; one empty piece for none."""
    start = 0
    for block in blocks:
        stop = start + len(next(iter(block.values())))
        yield Events(conditions.take(slice(start, stop)), block, detector, provenance)
        start = stop
    if not len(conditions):
        yield Events(conditions, filled((), 0, detector.response_arrays), detector, provenance)


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


def spans(source: EventSource) -> list[slice]:
    """Return the places of pieces: as many events as a little memory holds.

    Where all are few, they are one piece. None is much smaller than the others, so that what a
    reader checks of a piece is never decided by a handful of events.
    """
    arrays = source.detector.response_arrays.values()
    numbers = sum(math.prod(array.shape) for array in arrays)
    step = max(PIECE // (max(numbers, 1) * ROWS), 1) * ROWS
    starts = [0, *range(step, len(source) - step // 2, step)]
    return [slice(*ends) for ends in itertools.pairwise([*starts, len(source)])]


def pieces(source: EventSource) -> Iterator[tuple[slice, Events]]:
    """Yield events in order, piece by piece, with their places."""
    for span in spans(source):
        yield span, source.take(span)


def require_same_detector(expected: Detector, *others: Detector) -> None:
    """Raise an :class:`EventsError` unless all detectors read out and build the same."""
    for other in others:
        if other.fingerprint != expected.fingerprint:
            same_name = " (same name, other geometry)" if other.name == expected.name else ""
            msg = f"the events are of detector {other.name}, not of {expected.name}{same_name}"
            raise EventsError(msg)
