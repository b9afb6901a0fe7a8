"""Divisions: groupings of events beside the detector's scale, such as species or pseudorapidity.

A kind of detector declares them (:mod:`simulacra.validation.kinds`); some observables are then
compared in each part, over the whole scale and in each of its groups.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray
from simulacra.conditions import Conditions
from simulacra.detectors import TPC

ETA_PARTS = 3
"""Parts of |eta| of equal width."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a division: its label, and which events (n,) belong to it."""

    label: str
    select: Callable[[Conditions], BoolArray]


@dataclass(frozen=True, slots=True)
class Division:
    """A grouping of events.

    Attributes:
        name: what it divides by, ``species``.
        observables: the observables that are compared in each part.
        parts: disjoint groups of events.
        by_scale: whether each part is compared at each energy too, not at all of them together
            alone.
    """

    name: str
    observables: tuple[str, ...]
    parts: tuple[Part, ...]
    by_scale: bool = True


def track_divisions(detector: TPC) -> tuple[Division, ...]:
    """Return the divisions of tracks: by |eta|, and by species without regard to the charge."""
    edges = np.linspace(0, max(map(abs, detector.beam.pseudorapidity)), ETA_PARTS + 1)
    rounded = np.round(edges, 3).tolist()
    codes = sorted({abs(code) for code in detector.conditions["pdg"].categories or ()})
    return (
        Division(
            "|eta|",
            ("rmse_true", "rmse_fitted", "clusters"),
            tuple(
                _eta_part(low, high, closed=high == rounded[-1])
                for low, high in itertools.pairwise(rounded)
            ),
        ),
        Division(
            "species",
            ("dedx", "rmse_true", "clusters"),
            tuple(_species_part(code) for code in codes),
        ),
    )


def _eta_part(low: float, high: float, *, closed: bool) -> Part:
    end = high * (1 + 1e-6) if closed else high  # of the beam: rounding must not cut it

    def select(conditions: Conditions) -> BoolArray:
        size = np.abs(conditions["pseudorapidity"])
        chosen: BoolArray = (size >= low) & (size < end)
        return chosen

    return Part(f"|eta| {low:g} to {high:g}", select)


def _species_part(code: int) -> Part:
    from particle import Particle

    def select(conditions: Conditions) -> BoolArray:
        chosen: BoolArray = np.abs(conditions["pdg"]) == code
        return chosen

    return Part(Particle.from_pdgid(code).name.rstrip("+-"), select)
