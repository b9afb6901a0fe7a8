"""How far beyond its training a simulator answers: a little by itself, further if it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from simulacra.columns import require_near as require_column_near
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.particles import PDG, particle_name


class Ranged(Protocol):
    """A simulator that says what it was trained on."""

    @property
    def detector(self) -> Detector:
        """The detector whose response it gives."""

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Lowest and highest training value of each numerical condition."""

    @property
    def own_ranges(self) -> dict[int, tuple[float, float]]:
        """The range of the detector's scale, MeV, of particles that had less than all of it."""


def require_near(simulator: Ranged, conditions: Conditions) -> None:
    """Refuse conditions far outside the training (:func:`simulacra.columns.far_outside`).

    Args:
        simulator: what is to answer.
        conditions: checked ones of its detector.

    Raises:
        SimulatorError: a value is; the message says the trained range.
    """
    declared, scale = simulator.detector.conditions, simulator.detector.scale
    for name, limits in simulator.ranges.items():
        require_column_near(name, conditions[name], limits, declared[name])
    if PDG not in conditions.columns:
        return
    for pdg, limits in simulator.own_ranges.items():
        own = conditions[scale][conditions[PDG] == pdg]
        require_column_near(f"{scale} of {particle_name(pdg)}", own, limits, declared[scale])
