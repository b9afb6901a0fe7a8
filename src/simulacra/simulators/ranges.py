"""The ranges that conditions have in training: of all events, and of each particle by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import exp, lgamma, tau

import numpy as np

from simulacra.arrays import Array, FloatArray
from simulacra.columns import ALL
from simulacra.detectors import Detector
from simulacra.events import Events
from simulacra.particles import OWN_RANGES, PDG, SEEN, Seen, particle_name

NEAR = 0.05
"""Part of a condition's range within which ends are taken as the same, such as of drawn values."""
CHANCE = 0.1
"""Probability above which the end of a particle's range is taken as that of all, drawn by chance.
Small samples only are left to it: of equally many particles, four values beyond an end suffice."""


def trained_ranges(events: Events) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value of each numerical condition.

    A cyclic one has the arc that holds all of its values where that is clearly shorter.
    """
    return {name: _span(events.conditions[name], role) for name, role in _numerical(events)}


def own_ranges(events: Events) -> dict[int, dict[str, tuple[float, float]]]:
    """Return, by PDG id and condition, the ranges of particles that had less than all of them.

    A range is a particle's own where it ends more than :data:`NEAR` before that of all events and
    the values beyond its end are too many to be all of other particles by chance.
    """
    if PDG not in events.detector.conditions:
        return {}
    found: dict[int, dict[str, tuple[float, float]]] = {}
    for name, role in _numerical(events):
        column = events.conditions[name]
        whole = _span(column, role)
        for pdg in events.particles:
            mine = column[events.conditions[PDG] == pdg]
            span = _own_span(column, mine, whole, role)
            if span != whole:
                found.setdefault(pdg, {})[name] = span
    return found


def recorded(events: Events) -> dict[str, object]:
    """Return what a simulator's description says of events beside the ranges of all of them."""
    parts: dict[str, Mapping[int, Mapping[str, tuple[float, ...]]]] = {
        OWN_RANGES: own_ranges(events),
        SEEN: seen_categories(events),
    }
    return {
        key: {str(pdg): {n: list(v) for n, v in each.items()} for pdg, each in found.items()}
        for key, found in parts.items()
        if found
    }


def seen_categories(events: Events) -> Seen:
    """Return the values of categorical conditions, such as alignments, where some were not seen.

    Those of all events, and of particles that have less than all events.
    """
    declared, pdg = events.detector.conditions, events.conditions.columns.get(PDG)
    particles = events.particles if PDG in declared and pdg is not None else ()
    found: Seen = {}
    for name, spec in declared.items():
        if spec.categories is None or name == PDG:
            continue
        column = events.conditions[name]
        known = _values(column)
        if set(known) < set(spec.categories) and not _few(len(column), len(spec.categories)):
            found.setdefault(ALL, {})[name] = known
        for particle in particles:
            mine = column[pdg == particle]
            own = _values(mine)
            others = ~np.isin(column, own)
            if set(own) < set(known) and not _by_chance(column, mine, others):
                found.setdefault(particle, {})[name] = own
    return found


def _few(n: int, categories: int) -> bool:
    """Return whether so few events may miss one of equally frequent categories by chance."""
    return bool((1 - 1 / categories) ** n > CHANCE)


def _values(column: Array) -> tuple[int, ...]:
    return tuple(np.unique(column).astype(int).tolist())


def range_notes(events: Events) -> Iterator[str]:
    """Yield which particles had less than all of a condition."""
    for pdg, ranges in own_ranges(events).items():
        for name, limits in ranges.items():
            unit = events.detector.conditions[name].unit
            ends = f"{limits[0]:.4g} to {limits[1]:.4g} {unit}".rstrip()
            yield f"{particle_name(pdg)} has {name} from {ends} only; beyond is outside of training"
    for pdg, seen in seen_categories(events).items():
        who = "the sample" if pdg == ALL else particle_name(pdg)
        for name, values in seen.items():
            only = ", ".join(map(str, values))
            yield f"{who} has {name} {only} only; others are outside of training"


def _numerical(events: Events) -> list[tuple[str, str]]:
    declared: Detector = events.detector
    return [(n, s.role) for n, s in declared.conditions.items() if s.role != "categorical"]


def _span(column: Array, role: str) -> tuple[float, float]:
    low, high = float(column.min()), float(column.max())
    if role != "cyclic":
        return low, high
    first, last = _arc(column)
    return (first, last) if last - first < (1 - NEAR) * (high - low) else (low, high)


def _arc(column: Array) -> tuple[float, float]:
    """Return the ends of the shortest arc with all angles (rad); the first lies in a turn from 0.

    The second may lie beyond the turn.
    """
    angles = np.sort(np.mod(column.astype(np.float64), tau))
    gaps = np.diff(angles, append=angles[0] + tau)
    widest = int(gaps.argmax())
    first = float(angles[(widest + 1) % len(angles)])
    return first, first + tau - float(gaps[widest])


def _own_span(
    column: Array, mine: Array, whole: tuple[float, float], role: str
) -> tuple[float, float]:
    """Return a particle's own range of a condition; that of all where nothing speaks against it."""
    if role == "cyclic":
        first, last = _arc(mine)
        beyond = np.mod(column.astype(np.float64) - first, tau) > last - first
        shorter = last - first < (1 - NEAR) * (whole[1] - whole[0])
        return (first, last) if shorter and not _by_chance(column, mine, beyond) else whole
    low, high = whole
    first, last = float(mine.min()), float(mine.max())
    if _before(low, first, whole, role) and not _by_chance(column, mine, column < first):
        low = first
    if _before(last, high, whole, role) and not _by_chance(column, mine, column > last):
        high = last
    return low, high


def _before(one: float, other: float, whole: tuple[float, float], role: str) -> bool:
    """Return whether a value lies clearly before another, on the scale of a range."""
    low, high = _scaled(np.array([one, other]), role)
    start, end = _scaled(np.array(whole), role)
    return bool(high - low > NEAR * (end - start))


def _scaled(values: FloatArray, role: str) -> FloatArray:
    return np.log(values) if role == "log" else values


def _by_chance(column: Array, mine: Array, beyond: Array) -> bool:
    """Return whether values beyond an end, none of a particle's, may be so by chance.

    The probability that, of ``n`` values of one distribution, ``k`` that were chosen by their size
    are all among the ``n - m`` of other particles: C(n - k, m) / C(n, m).
    """
    n, m, k = len(column), len(mine), int(np.count_nonzero(beyond))
    if k > n - m:  # values beyond are the particle's, by rounding
        return True
    logarithm = lgamma(n - k + 1) - lgamma(n - k - m + 1) - lgamma(n + 1) + lgamma(n - m + 1)
    return exp(logarithm) > CHANCE
