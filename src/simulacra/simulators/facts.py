"""Facts on simulators: model, detector, particles, ranges, and how they were trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulacra.faces.columns import range_text
from simulacra.particles import particle_name
from simulacra.simulators.protocol import Simulator


def common_facts(simulator: Simulator, model: str) -> dict[str, Any]:
    """Return the facts that trained and exported simulators share.

    Args:
        simulator: the simulator.
        model: its model, in a line.
    """
    detector = simulator.detector
    return {
        "model": model,
        "detector": f"{detector.name} ({detector.kind})",
        "particles": _particles(simulator),
        "ranges": {
            name: range_text(*limits, detector.conditions[name].unit)
            for name, limits in simulator.ranges.items()
        },
        "own ranges": {
            f"{particle_name(pdg)} {name}": range_text(*limits, detector.conditions[name].unit)
            for pdg, each in simulator.own_ranges.items()
            for name, limits in each.items()
        },
    }


def _particles(simulator: Simulator) -> str:
    names = simulator.particles
    if not names:
        return "not named"
    several = "chosen one by one" if simulator.chooses_particle else "as they were mixed"
    return ", ".join(names) + (f" ({several})" if len(names) > 1 else "")


def training_facts(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is recorded of a training: events, selected step, score."""
    names = {
        "train_events": "events",
        "selected_step": "selected step",
        "selection_score": "selection score",
    }
    return {word: about[name] for name, word in names.items() if name in about}
