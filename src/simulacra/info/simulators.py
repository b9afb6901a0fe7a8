"""Facts on simulators: model, detector, particles, ranges, and how they were trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulacra.info.columns import range_text
from simulacra.models import MODELS
from simulacra.particles import OWN_RANGES
from simulacra.simulators.exported import ExportedSimulator
from simulacra.simulators.load import load_simulator
from simulacra.simulators.trained import TrainedSimulator


def simulator_facts(name: str) -> dict[str, Any]:
    """Return the facts on a trained or an exported simulator."""
    simulator = load_simulator(name)
    if isinstance(simulator, ExportedSimulator):
        contract = simulator.runtime.contract
        common = _common(simulator, contract.model, contract.ranges, contract.facts)
        made = {"versions": contract.facts.get("versions")}
        return {"exported simulator": name, **common, "training": _training(contract.facts) | made}
    assert isinstance(simulator, TrainedSimulator)
    card = simulator.card
    options = card.model.model_dump(mode="json")
    from_card = {
        "train": ", ".join(card.data.train),
        "selection": ", ".join(card.data.selection or ("a tenth of these, drawn at random",)),
        "steps": card.training.steps,
        "seed": card.seed,
    }
    return {
        "simulator": name,
        **_common(simulator, card.model_kind, simulator.ranges, simulator.about),
        "symmetries": options.get("symmetries"),
        "parameters": sum(p.numel() for p in simulator.surrogate.network.parameters()),
        "training": from_card | _training(simulator.about),
    }


def _common(
    simulator: TrainedSimulator | ExportedSimulator,
    model: str,
    ranges: Mapping[str, tuple[float, float]],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    detector = simulator.detector
    summary = f": {MODELS[model].summary}" if model in MODELS else ""
    recorded = about.get(OWN_RANGES, {})
    own = {name: range_text(low, high, "MeV") for name, (low, high) in recorded.items()}
    return {
        "model": f"{model}{summary}",
        "detector": f"{detector.name} ({detector.kind})",
        "particles": _particles(simulator),
        "ranges": {
            name: range_text(*limits, detector.conditions[name].unit)
            for name, limits in ranges.items()
        },
        "own ranges": own,
    }


def _particles(simulator: TrainedSimulator | ExportedSimulator) -> str:
    names = simulator.particles
    if not names:
        return "not named"
    several = "chosen one by one" if simulator.chooses_particle else "as they were mixed"
    return ", ".join(names) + (f" ({several})" if len(names) > 1 else "")


def _training(about: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "train_events": "events",
        "selected_step": "selected step",
        "selection_score": "selection score",
    }
    return {word: about[name] for name, word in names.items() if name in about}
