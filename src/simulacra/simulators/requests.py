"""What simulators are asked for: particles by name, conditions taken from events files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from simulacra.arrays import Array
from simulacra.columns import far_outside, outside_seen
from simulacra.conditions import STREAM, Conditions
from simulacra.datasets.samples import open_parts
from simulacra.detectors import Detector
from simulacra.detectors.base import ConditionSpec
from simulacra.errors import EventsError, SimulatorError
from simulacra.events import Events
from simulacra.io.joined import whole
from simulacra.particles import PDG, OwnRanges, ParticleMixture, Seen, particle_name, require_served


class Serving(Protocol):
    """A simulator that says what it serves."""

    @property
    def detector(self) -> Detector:
        """The detector whose response it gives."""

    @property
    def particles(self) -> tuple[str, ...]:
        """The names of the particles that it was trained on; empty where it does not say."""

    @property
    def chooses_particle(self) -> bool:
        """Whether it gives the response of the particle that the condition ``pdg`` says."""

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Lowest and highest training value of each numerical condition."""

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that had less than all of them."""

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions in training, where not all that there are."""


def asked_particles(simulator: Serving, asked: str | None) -> ParticleMixture | None:
    """Return the particles that a simulator is asked for, as on the command line.

    Raises:
        SimulacraError: it was trained on others, or on several that no condition tells apart.
    """
    if asked is None:
        return None
    mixture = ParticleMixture.parse(asked)
    require_served(mixture.ids, simulator.particles, "the simulator")
    trained = simulator.particles
    if not simulator.chooses_particle and len(mixture.ids) < len(trained):
        msg = f"the simulator learned {', '.join(trained)} together and cannot tell them apart"
        raise SimulatorError(msg)
    return mixture


def conditions_like(
    simulator: Serving,
    source: str,
    number: int | None = None,
    particles: ParticleMixture | None = None,
    seed: int = 1,
) -> Conditions:
    """Return the conditions of an events file for a simulator.

    The file need not say its detector: it is read as one of the simulator's.

    Args:
        simulator: who is to be asked.
        source: the file, or ``sample:test``.
        number: how many of the events, the first ones; None: all.
        particles: instead of those of the file.
        seed: what several particles are drawn from, whatever order the file's energies have.

    Raises:
        EventsError: the file is of another detector, has fewer events or does not say its particle.
        SimulatorError: its particles are none of those that the simulator was trained on.
    """
    detector = simulator.detector
    events = whole(open_parts(source, detector.without_particles()))
    if number is not None and number > len(events):
        msg = f"-n {number}: {source} has only {len(events)} events"
        raise EventsError(msg)
    events = events if number is None else events.take(slice(number))
    if particles is not None:
        drawn = particles.at_random().draw(len(events), 1, np.random.default_rng([seed, STREAM]))
        return Conditions({**events.conditions.columns, PDG: drawn})
    return conditions_for(simulator, events, source)


def conditions_for(simulator: Serving, events: Events, name: str = "the events") -> Conditions:
    """Return the conditions of events as a simulator needs them: with the particle, if it asks.

    Raises:
        EventsError: the events do not say their particle.
        SimulatorError: it is none of those that the simulator was trained on.
    """
    if events.particles and simulator.particles:
        require_served(events.particles, simulator.particles, "the simulator")
    if PDG not in simulator.detector.conditions or PDG in events.conditions.columns:
        return events.conditions
    if len(events.particles) != 1:
        msg = f"nothing in {name} says which event is of which particle: give --particle"
        raise EventsError(msg)
    return events.labelled(simulator.detector.particles).conditions


def require_near(simulator: Serving, conditions: Conditions) -> None:
    """Refuse conditions far outside the training (:func:`simulacra.columns.far_outside`).

    Raises:
        EventsError: a condition is missing or not sensible.
        SimulatorError: a value is; the message says the trained range.
    """
    conditions.check(simulator.detector)
    declared = simulator.detector.conditions
    for name, limits in simulator.ranges.items():
        _refuse_far(name, conditions[name], limits, declared[name])
    unseen = outside_seen(conditions.columns, conditions.columns.get(PDG), simulator.seen)
    if np.any(unseen):
        names = ", ".join(sorted({name for each in simulator.seen.values() for name in each}))
        msg = (
            f"{names}: {unseen.sum()} events have a value that was not seen in training: "
            "--extrapolate generates them all the same"
        )
        raise SimulatorError(msg)
    if PDG not in conditions.columns:
        return
    for pdg, ranges in simulator.own_ranges.items():
        mine = conditions[PDG] == pdg
        for name, limits in ranges.items():
            of = f"{name} of {particle_name(pdg)}"
            _refuse_far(of, conditions[name][mine], limits, declared[name])


def _refuse_far(
    name: str, column: Array, limits: tuple[float, float], declared: ConditionSpec
) -> None:
    values = column[far_outside(column, limits, declared.role)]
    if not len(values):
        return
    low, high = (f"{limit:g} {declared.unit}".strip() for limit in limits)
    msg = (
        f"{name}: {len(values)} events, such as one of {values[0]:g}, are far outside the trained "
        f"range, {low} to {high}: --extrapolate generates them all the same"
    )
    raise SimulatorError(msg)
