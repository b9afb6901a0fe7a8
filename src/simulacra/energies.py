"""Events grouped by their detector's scale: at its points, or in logarithmic bins where continuous.

The scale is the incident energy of a calorimeter and the transverse momentum of a TPC, in MeV.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulacra.arrays import Array, BoolArray, FloatArray
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.units import format_energy

BINS_PER_DECADE = 3
MOST_BINS = 12
SYMBOLS = {"transverse_momentum": "pT"}
"""What labels put before a value; an incident energy needs nothing."""


@dataclass(frozen=True, slots=True)
class EnergyGroup:
    """Values of the scale from ``low`` to ``high`` in MeV, which are equal for a point.

    Attributes:
        label: ``65 GeV``, or ``pT 1 GeV to 2 GeV``.
        low, high: the limits, MeV.
        closed: whether ``high`` itself belongs to the group.
    """

    label: str
    low: float
    high: float
    closed: bool = True

    @property
    def energy(self) -> float:
        """The point, or the geometric middle of the bin, MeV."""
        return self.low if self.low == self.high else math.sqrt(self.low * self.high)

    def select(self, energies: FloatArray) -> BoolArray:
        """Return which of the energies (n,) belong to the group."""
        below = energies <= self.high if self.closed else energies < self.high
        return (energies >= self.low) & below


def energy_points(energies: Array, most: int = 32) -> Array:
    """Return the distinct energies, or an empty array where there are too many to be points."""
    points = np.unique(energies)
    return points if len(points) <= most else points[:0]


def energy_groups(*samples: FloatArray, scale: str = "energy") -> tuple[EnergyGroup, ...]:
    """Return the groups, in ascending order, that the values (n,) of all samples fall into.

    Where each sample holds few distinct energies with two events or more on average, these are the
    groups; a point that only one sample has is one, too. Otherwise all samples share logarithmic
    bins, three per decade. Labels say what ``scale`` is, the name of the condition.
    """
    points = [energy_points(energies) for energies in samples]
    if all(0 < 2 * len(p) <= len(e) for p, e in zip(points, samples, strict=True)):
        distinct = np.unique(np.concatenate(points)).tolist()
        return tuple(EnergyGroup(_label(scale, e), e, e) for e in distinct)
    low = float(min(energies.min() for energies in samples))
    high = float(max(energies.max() for energies in samples))
    if low == high:
        return (EnergyGroup(_label(scale, low), low, high),)
    bins = int(np.clip(math.ceil(BINS_PER_DECADE * math.log10(high / low)), 1, MOST_BINS))
    edges = [low, *np.geomspace(low, high, bins + 1)[1:-1].tolist(), high]
    return tuple(
        EnergyGroup(_label(scale, a, b), a, b, closed=i == bins - 1)
        for i, (a, b) in enumerate(itertools.pairwise(edges))
    )


def _label(scale: str, *limits: float) -> str:
    values = " to ".join(format_energy(limit) for limit in limits)
    return f"{SYMBOLS[scale]} {values}" if scale in SYMBOLS else values


class WithConditions(Protocol):
    """Events, with their response or without."""

    @property
    def detector(self) -> Detector:
        """Their detector."""

    @property
    def conditions(self) -> Conditions:
        """Their conditions."""


def scale_of(events: WithConditions) -> FloatArray:
    """Return the scale of each event (n,) in MeV, as exact as it is on disk.

    That is the incident energy of a calorimeter, the transverse momentum of a TPC.

    In single precision, so that the same point in two samples is the same number.
    """
    return events.conditions[events.detector.scale].astype(np.float32).astype(np.float64)
