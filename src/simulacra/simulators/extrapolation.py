"""How far beyond its training a simulator answers: a little by itself, further if it is told to."""

from __future__ import annotations

import numpy as np

from simulacra.columns import outside_seen
from simulacra.columns import require_near as require_column_near
from simulacra.conditions import Conditions
from simulacra.errors import SimulatorError
from simulacra.particles import PDG, particle_name
from simulacra.simulators.protocol import Simulator


def require_near(simulator: Simulator, conditions: Conditions) -> None:
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
