"""The particles that events begin with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.conditions import EnergySpectrum
from simulacra.detectors.base import Frozen
from simulacra.errors import EventsError, SimulacraError
from simulacra.fullsim import setup
from simulacra.hybrid.regions import Region
from simulacra.hybrid.rules import Entries, known_particle
from simulacra.particles import pdg_id
from simulacra.units import Angle, Length


@dataclass(frozen=True, slots=True)
class Primaries(setup.Primaries):
    """Particles, event by event; those of one event one after another.

    Attributes:
        event: the number of the event that each belongs to (n,), ascending from 0.
        n_events: number of events; some may be empty.
    """

    event: IntArray
    n_events: int

    def __post_init__(self) -> None:
        n = len(self.event)
        shapes = {"pdg": (n,), "energy": (n,), "position": (n, 3), "direction": (n, 3)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                msg = f"primaries: {name} has the shape {getattr(self, name).shape}, not {shape}"
                raise EventsError(msg)
        if n and (np.any(np.diff(self.event) < 0) or self.event[0] < 0):
            msg = "primaries: event numbers ascend from 0"
            raise EventsError(msg)
        if n and self.event[-1] >= self.n_events:
            msg = f"primaries: event {self.event[-1]} of {self.n_events}"
            raise EventsError(msg)
        if np.any(self.energy <= 0) or not np.all(np.isfinite(self.energy)):
            msg = "primaries: energies must be positive"
            raise EventsError(msg)
        if np.any(np.abs(np.linalg.norm(self.direction, axis=1) - 1) > 1e-6):
            msg = "primaries: directions are unit vectors"
            raise EventsError(msg)

    def entering(self, region: Region) -> tuple[BoolArray, Entries]:
        """Return which particles are aimed at a region's front face (n,), and how they cross it."""
        return region.entries(self.pdg, self.energy, self.position, self.direction)

    def energy_of_events(self) -> FloatArray:
        """Return the kinetic energy of all particles of each event (n_events,), MeV."""
        return np.bincount(self.event, self.energy, self.n_events).astype(np.float64)


def _pair(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return one value as a range of that value alone."""
    return (value, value) if isinstance(value, int | float | str) else value


def _ascending(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        msg = "a range goes from the lower to the higher value"
        raise ValueError(msg)
    return value


def _polar(value: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= value[0] <= value[1] <= math.pi:
        msg = "theta goes from 0 to 180 deg; use phi: 180deg for the other side"
        raise ValueError(msg)
    return value


def _spectrum(value: str) -> str:
    try:
        EnergySpectrum.parse(value)
    except SimulacraError as error:
        raise ValueError(str(error).removeprefix("energy: ")) from None
    return value


LengthRange = Annotated[tuple[Length, Length], BeforeValidator(_pair), AfterValidator(_ascending)]
AngleRange = Annotated[tuple[Angle, Angle], BeforeValidator(_pair), AfterValidator(_ascending)]
PolarRange = Annotated[AngleRange, AfterValidator(_polar)]


class ParticleCard(Frozen):
    """Particles that every event begins with.

    Attributes:
        particle: name or PDG id.
        energy: kinetic energy: ``65GeV``; ``1GeV,2GeV`` is cycled; ``1GeV..65GeV`` is log-uniform,
            ``1GeV-65GeV`` uniform.
        count: how many of them.
        x, y, z: where they start in the world, mm: a value, or a range that is drawn uniformly.
        theta: angle to the world's z axis, rad, from 0 to pi: a value, or a range, uniform in solid
            angle.
        phi: azimuth of the direction, rad: a value, or a range that is drawn uniformly.
    """

    particle: Annotated[str, AfterValidator(known_particle)]
    energy: Annotated[str, AfterValidator(_spectrum)]
    count: int = Field(default=1, ge=1)
    x: LengthRange = (0.0, 0.0)
    y: LengthRange = (0.0, 0.0)
    z: LengthRange
    theta: PolarRange = (0.0, 0.0)
    phi: AngleRange = (0.0, 0.0)

    def draw(self, n_events: int, rng: np.random.Generator) -> Primaries:
        """Return the particles of ``n_events`` events."""
        n = n_events * self.count
        energy = EnergySpectrum.parse(self.energy).draw(n, rng)
        position = np.stack([rng.uniform(*span, n) for span in (self.x, self.y, self.z)], axis=1)
        cosine = rng.uniform(math.cos(self.theta[1]), math.cos(self.theta[0]), n)
        sine, phi = np.sqrt(np.maximum(1 - cosine**2, 0.0)), rng.uniform(*self.phi, n)
        direction = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)
        event = np.repeat(np.arange(n_events), self.count)
        pdg = np.full(n, pdg_id(self.particle), np.int64)
        return Primaries(pdg, energy, direction, position, event, n_events)


def draw_primaries(
    cards: Sequence[ParticleCard], n_events: int, seed: np.random.SeedSequence
) -> Primaries:
    """Return the particles of all cards, event by event."""
    streams = seed.spawn(len(cards))
    parts = [
        card.draw(n_events, np.random.default_rng(stream))
        for card, stream in zip(cards, streams, strict=True)
    ]
    joined = {
        name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns
    }
    order = np.argsort(joined["event"], kind="stable")
    return Primaries(**{k: v[order] for k, v in joined.items()}, n_events=n_events)
