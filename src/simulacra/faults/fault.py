"""A fault: a pure function of the response of events, with a strength and a place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import Array, BoolArray
from simulacra.detectors import Detector

Response = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Subject:
    """The input of a fault.

    Attributes:
        response: the arrays of n events; a fault changes none of them in place.
        where: the channels that the fault strikes, (n, channels), or (1, channels) where they are
            the same in each event. Channels are cells of a calorimeter and pad rows of a TPC.
        strength: the strength, in the unit of the fault.
        detector: the detector.
        rng: the source of all random numbers.
    """

    response: Response
    where: BoolArray
    strength: float
    detector: Detector
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of a catalogue of faults.

    Attributes:
        summary: the effect in one line.
        strength: the meaning of the strength.
        unit: the unit of the strength; empty for a share.
        apply: returns the response with the fault.
        low, high: the range of the strength. A strength of 0 is no fault.
    """

    summary: str
    strength: str
    unit: str
    apply: Callable[[Subject], Response]
    low: float = 0.0
    high: float = math.inf


def chance(subject: Subject) -> BoolArray:
    """Return which struck channels (n, channels) a share of ``strength`` of all chances hits."""
    shape = (len(next(iter(subject.response.values()))), subject.where.shape[1])
    drawn: BoolArray = subject.rng.random(shape) < subject.strength
    return subject.where & drawn


def chance_of_events(subject: Subject) -> BoolArray:
    """Return the struck channels (n, channels) in a share of ``strength`` of the events."""
    n = len(next(iter(subject.response.values())))
    drawn = subject.rng.random((n, 1)) < subject.strength
    hit: BoolArray = subject.where & drawn
    return hit
