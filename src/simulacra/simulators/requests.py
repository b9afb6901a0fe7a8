"""What simulators are asked for: particles by name, conditions taken from events files."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from simulacra.conditions import STREAM, Conditions
from simulacra.datasets.samples import open_parts
from simulacra.detectors import Detector
from simulacra.errors import EventsError, SimulatorError
from simulacra.events import Events
from simulacra.io.joined import whole
from simulacra.particles import PDG, ParticleMixture, require_served


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
