"""Events grouped by their detector's scale: at its points, or in logarithmic bins where continuous.

The scale is the incident energy of a calorimeter and the transverse momentum of a track or a jet,
in MeV.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulacra.arrays import Array, BoolArray, FloatArray
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.statistics.rounding import ROUNDING, distinct_points
from simulacra.units import format_energy

BINS_PER_DECADE = 3
MOST_BINS = 12
SYMBOLS = {"transverse_momentum": "pT"}
"""What labels put before a value; an incident energy needs nothing."""


@dataclass(frozen=True, slots=True)
class EnergyGroup:
    """Values of the scale from ``low`` to ``high`` in MeV, which are equal for a point.

    Limits hold up to the rounding of single precision: the same energy in single and in double
    precision belongs to the same group.

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
        # all limits lie a rounding below a value that somebody may have written down
        high = self.high * (1 + ROUNDING if self.closed else 1 - ROUNDING)
        below = energies <= high if self.closed else energies < high
        return (energies >= self.low * (1 - ROUNDING)) & below


def energy_points(energies: Array, most: int = 32) -> Array:
    """Return the distinct energies, or an empty array where there are too many to be points.

    Energies that differ by rounding are one point.
    """
    return distinct_points(energies, most)


def mixes_points_with_a_spectrum(*samples: FloatArray) -> bool:
    """Return whether some samples (n,) have their energies at points and others between them.

    Bins are wrong for such samples: inside a bin, the point is not where the others' mean is.
    """
    points = [p for p in map(_points_of, samples) if len(p)]
    return len(points) > 0 and not _all_at_points(samples)


def _points_of(energies: FloatArray) -> Array:
    """Return the points of a sample with two events or more at each on average, else none."""
    points = energy_points(energies)
    return points if 2 * len(points) <= len(energies) else points[:0]


def _all_at_points(samples: Sequence[FloatArray]) -> bool:
    """Return whether each sample has its energies at points: its own, or those of others."""
    points = [_points_of(energies) for energies in samples]
    known = np.concatenate(points)
    if not len(known):
        return False
    return all(
        len(own) or _are_among(energies, known)
        for own, energies in zip(points, samples, strict=True)
    )


def _are_among(energies: FloatArray, points: Array) -> bool:
    if not len(energies):
        return False
    found = distinct_points(energies, len(energies))
    together = distinct_points(np.concatenate([found, points]), len(found) + len(points))
    return len(together) <= len(distinct_points(points, len(points)))


def energy_groups(*samples: FloatArray, scale: str = "energy") -> tuple[EnergyGroup, ...]:
    """Return the groups, in ascending order, that the values (n,) of all samples fall into.

    Where each sample holds few distinct energies with two events or more on average, or none but
    the points of such a sample, these are the groups; a point that only one sample has is one, too.
    Otherwise all samples share logarithmic
    bins, three per decade. Labels say what ``scale`` is, the name of the condition.
    """
    if _all_at_points(samples):
        points = np.concatenate([_points_of(energies) for energies in samples])
        distinct = distinct_points(points, len(points)).tolist()
        return tuple(EnergyGroup(_label(scale, e), e, e) for e in distinct)
    low = float(min(energies.min() for energies in samples))
    high = float(max(energies.max() for energies in samples))
    if high <= low * (1 + ROUNDING):
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
