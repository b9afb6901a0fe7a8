"""Particles by name and PDG id, mixtures of them, and the particles that a provenance names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simulacra.errors import SimulacraError, SimulatorError

PDG = "pdg"
"""The condition that says an event's particle, where a sample has several."""
OWN_RANGES = "own_ranges"
"""Where a simulator records the ranges of particles that had less than all of a condition."""
SEEN = "seen_categories"
"""Where a simulator records which values of categories it saw, where it did not see all."""
Seen = dict[int, dict[str, tuple[int, ...]]]
"""Values of categorical conditions in training by PDG id, 0 for all, and condition."""
OwnRanges = dict[int, dict[str, tuple[float, float]]]
"""Lowest and highest value in training by PDG id and condition, of such particles."""

# Names that Geant4 and everyday speech use and the PDG's tables spell differently.
_PDG_OF_NAME = {
    "photon": 22,
    "electron": 11,
    "positron": -11,
    "proton": 2212,
    "anti_proton": -2212,
    "neutron": 2112,
    "anti_neutron": -2112,
    "kaon+": 321,
    "kaon-": -321,
    "kaon0L": 130,
    "kaon0S": 310,
    "K0L": 130,
    "K0S": 310,
    "alpha": 1000020040,
    "deuteron": 1000010020,
}


@cache
def pdg_id(particle: str) -> int:
    """Return the PDG id of a particle's name, or of the id as text.

    Raises:
        SimulacraError: there is no such particle.

    Example:
        >>> pdg_id("pi-"), pdg_id("proton"), pdg_id("22")
        (-211, 2212, 22)
    """
    # Imported here because its tables take a moment to load.
    from particle import InvalidParticle, Particle, ParticleNotFound

    if particle in _PDG_OF_NAME:
        return _PDG_OF_NAME[particle]
    try:
        if re.fullmatch(r"[-+]?\d+", particle):
            return int(Particle.from_pdgid(int(particle)).pdgid)
        return int(Particle.from_name(particle).pdgid)
    except (InvalidParticle, ParticleNotFound):
        msg = f"unknown particle {particle!r}: give a name such as gamma, e-, pi+, or a PDG id"
        raise SimulacraError(msg) from None


@cache
def particle_name(pdg: int) -> str:
    """Return a particle's name from its PDG id, or the id as text where the tables have none.

    Example:
        >>> particle_name(22), particle_name(-13), particle_name(99999999)
        ('gamma', 'mu+', '99999999')
    """
    from particle import InvalidParticle, Particle, ParticleNotFound

    try:
        return str(Particle.from_pdgid(pdg).name)
    except (InvalidParticle, ParticleNotFound):
        return str(pdg)


def names_of(ids: Iterable[int]) -> str:
    """Return particles as text: their names, one after another.

    Example:
        >>> names_of((11, 22))
        'e-, gamma'
    """
    return ", ".join(particle_name(pdg) for pdg in ids)


def in_order(ids: Iterable[int]) -> tuple[int, ...]:
    """Return each PDG id once, by its absolute value, particles before antiparticles.

    Example:
        >>> in_order([22, -11, 11, 22])
        (11, -11, 22)
    """
    return tuple(sorted(set(ids), key=lambda pdg: (abs(pdg), -pdg)))


@dataclass(frozen=True, slots=True)
class ParticleMixture:
    """Particles that the events of a sample begin with, one each.

    Attributes:
        ids: their PDG ids.
        weights: how frequent they are, drawn at random; None: in turn, equally many of each.
    """

    ids: tuple[int, ...]
    weights: tuple[float, ...] | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the mixture of ``gamma``, ``e-,gamma`` (in turn) or ``e-:2,gamma:1`` (weights).

        Raises:
            SimulacraError: a particle is not known or named twice, or a weight makes no sense.

        Example:
            >>> ParticleMixture.parse("e-:2,gamma:1")
            ParticleMixture(ids=(11, 22), weights=(2.0, 1.0))
        """
        parts = [part.strip().partition(":") for part in text.split(",")]
        ids = tuple(pdg_id(name.strip()) for name, _, _ in parts)
        if len(set(ids)) < len(ids):
            msg = f"particles {text!r}: each of them is named once"
            raise SimulacraError(msg)
        given = [weight for _, colon, weight in parts if colon]
        if not given:
            return cls(ids)
        weights = tuple(_weight(weight, text) for weight in given)
        if len(weights) < len(ids):
            msg = f"particles {text!r}: give each of them a weight, or none of them"
            raise SimulacraError(msg)
        return cls(ids, weights)

    def draw(self, n: int, stay: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Return the particles of ``n`` events (n,).

        Args:
            n: number of events.
            stay: events before the next particle has its turn: as many as there are energies in
                turn, so that each particle gets each of them.
            rng: what particles with weights are drawn from.
        """
        ids = np.array(self.ids, np.int32)
        if self.weights is None:
            return ids[np.arange(n) // stay % len(ids)]
        return rng.choice(ids, n, p=np.array(self.weights) / sum(self.weights))

    def at_random(self) -> Self:
        """Return the mixture that is drawn, not taken in turn."""
        return self if self.weights else replace(self, weights=(1.0,) * len(self.ids))

    def __str__(self) -> str:
        names = [particle_name(pdg) for pdg in self.ids]
        if self.weights is None:
            return ",".join(names)
        return ",".join(f"{n}:{w:g}" for n, w in zip(names, self.weights, strict=True))


def _weight(text: str, mixture: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        msg = f"particles {mixture!r}: {text!r} is no weight; write e-:2,gamma:1"
        raise SimulacraError(msg)
    return weight


def recorded_particles(facts: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the particles that a provenance names, by PDG id; empty where it names none.

    Full simulation and whoever names the particle of a file record ``particle``, a simulator the
    ``particles`` that it was trained on, a hybrid run its card, and a sample that was joined the
    provenance of each part.
    """
    if parts := () if facts.get("particle") else facts.get("joined", ()):
        each = [recorded_particles(part.get("provenance", {})) for part in parts]
        return in_order(pdg for ids in each for pdg in ids) if all(each) else ()
    cards = facts.get("card", {}).get("particles", ())
    names = facts.get("particles") or [card["particle"] for card in cards]
    try:
        if facts.get("particle"):
            return in_order(ParticleMixture.parse(str(facts["particle"])).ids)
        return in_order(pdg_id(str(name)) for name in names)
    except SimulacraError:  # what another program wrote names none that is known here
        return ()


def own_ranges_of(about: Mapping[str, Any], scale: str) -> OwnRanges:
    """Return the ranges that a simulator records of particles that had less than all of them.

    Args:
        about: the facts on its training. Older ones have one range a particle: that of the scale.
        scale: the detector's scale.
    """
    return {
        (int(particle) if re.fullmatch(r"-?\d+", particle) else pdg_id(particle)): {
            name: (float(low), float(high))
            for name, (low, high) in (
                ranges.items() if isinstance(ranges, Mapping) else [(scale, ranges)]
            )
        }
        for particle, ranges in about.get(OWN_RANGES, {}).items()
    }


def seen_of(about: Mapping[str, Any]) -> Seen:
    """Return which values of categories a simulator saw, where it did not see all of them."""
    return {
        int(particle): {name: tuple(map(int, values)) for name, values in each.items()}
        for particle, each in about.get(SEEN, {}).items()
    }


def require_served(asked: Iterable[int], trained: Sequence[str], where: str) -> None:
    """Raise a :class:`SimulatorError` unless a simulator was trained on all of some particles.

    Args:
        asked: PDG ids.
        trained: names of the particles that it was trained on; empty where that is not known.
        where: what the message calls the simulator.
    """
    if not trained:
        msg = f"{where} does not say which particles it was trained on"
        raise SimulatorError(msg)
    known = {pdg_id(name) for name in trained}
    if others := [pdg for pdg in asked if pdg not in known]:
        msg = f"{where} was trained on {', '.join(sorted(trained))}, not on {names_of(others)}"
        raise SimulatorError(msg)
