"""How far beyond its training a simulator answers: a little by itself, further if it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from simulacra.columns import outside_seen
from simulacra.columns import require_near as require_column_near
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import SimulatorError
from simulacra.particles import PDG, OwnRanges, Seen, particle_name


class Ranged(Protocol):
    """A simulator with the ranges of its training."""

    @property
    def detector(self) -> Detector:
        """The detector whose response it gives."""

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Lowest and highest training value of each numerical condition."""

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that had less than all of them."""

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions in training, where not all that there are."""


def require_near(simulator: Ranged, conditions: Conditions) -> None:
    """Refuse conditions far outside the training (:func:`simulacra.columns.far_outside`).

    Args:
        simulator: the one that is asked.
        conditions: checked ones of its detector.

    Raises:
        SimulatorError: a value is; the message says the trained range.
    """
    declared = simulator.detector.conditions
    for name, limits in simulator.ranges.items():
        require_column_near(name, conditions[name], limits, declared[name])
    unseen = outside_seen(conditions.columns, conditions.columns.get(PDG), simulator.seen)
    if np.any(unseen):
        names = ", ".join(sorted({name for each in simulator.seen.values() for name in each}))
        msg = (
            f"{names}: {unseen.sum()} events have a value that was not seen in training: "
            "--extrapolate (extrapolate=True in Python) generates them all the same"
        )
        raise SimulatorError(msg)
    if PDG not in conditions.columns:
        return
    for pdg, ranges in simulator.own_ranges.items():
        mine = conditions[PDG] == pdg
        for name, limits in ranges.items():
            of = f"{name} of {particle_name(pdg)}"
            require_column_near(of, conditions[name][mine], limits, declared[name])
