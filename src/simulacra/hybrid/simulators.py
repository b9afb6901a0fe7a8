"""Simulators in a hybrid run: what they must be for the rules that name them, and their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import Array, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.events import require_same_detector
from simulacra.hybrid.card import SimulatorCard
from simulacra.hybrid.regions import Region
from simulacra.hybrid.rules import Entries, Rule
from simulacra.particles import PDG, particle_name, pdg_id
from simulacra.simulators.load import load_simulator
from simulacra.simulators.protocol import Simulator

BATCH = 4096
"""Showers that are sought out for hits at once, at most: a bound on memory."""


def load_simulators(cards: Mapping[str, SimulatorCard]) -> dict[str, Simulator]:
    """Return the simulators of a card.

    Raises:
        SimulatorError: a folder cannot be used.
    """
    if not cards:
        return {}
    return {name: load_simulator(card.folder) for name, card in cards.items()}


def require_fitting(
    rules: Sequence[Rule],
    regions: Sequence[Region],
    simulators: Mapping[str, Simulator],
    cards: Mapping[str, SimulatorCard],
) -> None:
    """Raise a :class:`SimulatorError` where a rule asks a simulator for what it does not know."""
    for number, rule in enumerate(rules):
        if not rule.is_fast:
            continue
        simulator, where = simulators[rule.simulator], f"rules.{number}: {rule.simulator}"
        stated = cards[rule.simulator].particles if rule.simulator in cards else ()
        _require_particles(rule, stated, simulator.particles, where)
        _require_told_apart(simulator, where)
        for region in regions:
            if rule.covers(region.name):
                _require_detector(region, simulator.detector, where)


def _require_detector(region: Region, detector: Detector, where: str) -> None:
    try:
        require_same_detector(region.detector, detector)
    except SimulacraError:
        same = " (same name, other geometry)" if detector.name == region.detector.name else ""
        msg = (
            f"{where} answers for detector {detector.name}, but region {region.name} is "
            f"{region.detector.name}{same}: name the 'regions' of the rule, or another simulator"
        )
        raise SimulatorError(msg) from None
    unknown = set(detector.conditions) - {*region.known_conditions, PDG}
    if unknown:
        msg = f"{where} needs the condition {min(unknown)!r}, which a hybrid run does not know"
        raise SimulatorError(msg)


def _require_particles(
    rule: Rule, stated: Sequence[str], recorded: Sequence[str], where: str
) -> None:
    if stated and recorded and set(map(pdg_id, stated)) != set(map(pdg_id, recorded)):
        msg = f"{where} was trained on {', '.join(recorded)}, not on {', '.join(stated)}"
        raise SimulatorError(msg)
    trained = set(map(pdg_id, stated or recorded))
    if not trained:
        msg = f"{where} does not say what it was trained on: write {{folder: …, particles: […]}}"
        raise SimulatorError(msg)
    if others := [pdg for pdg in rule.pdg_ids if pdg not in trained]:
        names = ", ".join(sorted(stated or recorded))
        msg = f"{where} was trained on {names}, not on {particle_name(others[0])}"
        raise SimulatorError(msg)


def _require_told_apart(simulator: Simulator, where: str) -> None:
    if len(simulator.particles) > 1 and PDG not in simulator.detector.conditions:
        names = ", ".join(simulator.particles)
        msg = f"{where} learned {names} together and cannot tell them apart"
        raise SimulatorError(msg)


def answer(
    simulator: Simulator, region: Region, entries: Entries, seed: int
) -> tuple[IntArray, IntArray, NDArray[np.float32]]:
    """Return what a simulator deposits for particles, one or more, that enter a region.

    Showers are taken in the simulator's own pieces, so that few of them are in memory at once.

    Returns:
        The hits: which particle (h,), which of all cells of the region's layers (h,) and the energy
        there (h,), MeV.
    """
    conditions = region.conditions(entries, simulator.detector.conditions)
    particles, cells, energies = [], [], []
    start = 0
    for showers in _batches(simulator, conditions, seed):
        rows = slice(start, start + len(showers))
        particle, cell = np.nonzero(showers)
        places = region.cells(entries.x[rows], entries.y[rows])
        particles.append(particle + start)
        cells.append(places[particle, cell])
        energies.append(showers[particle, cell])
        start = rows.stop
    return np.concatenate(particles), np.concatenate(cells), np.concatenate(energies)


def _batches(simulator: Simulator, conditions: Conditions, seed: int) -> Iterator[Array]:
    """Yield the showers (n, cells) of all rows, at most :data:`BATCH` at once."""
    for piece in simulator.stream(conditions, seed):
        showers = piece["showers"]
        for start in range(0, len(showers), BATCH):
            yield showers[start : start + BATCH]
