"""Rules that choose who answers for a particle that enters a calorimeter; the first one decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property
from typing import Annotated, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.detectors.base import Frozen
from simulacra.errors import SimulacraError
from simulacra.particles import pdg_id
from simulacra.units import Angle, Energy, Length

FULL = "full"
"""What a rule names where Geant4 is to go on by itself."""
SMALL_ANGLE = 1e-3
"""How far from the normal a simulator answers where its rule does not say it, rad."""


class Outcome(IntEnum):
    """What became of a particle for which a rule wants a simulator to answer."""

    HANDED_OVER = 0
    OUTSIDE_TRAINING = 1
    OUTSIDE_READOUT = 2


@dataclass(frozen=True, slots=True)
class Entries:
    """Particles where they enter one region, in the region's own frame.

    Attributes:
        pdg: PDG ids (n,).
        energy: kinetic energies (n,), MeV.
        x, y: where they cross the front face (n,), mm.
        angle: between the direction and the normal of the face (n,), rad.
        theta: the same as seen in the region's x-z plane (n,), rad, positive towards +x.
        margin: how far inside of the face's edges they cross it (n,), mm; negative outside.
        phi: azimuth of the direction around the region's z axis (n,), rad from +x towards +y.
    """

    pdg: IntArray
    energy: FloatArray
    x: FloatArray
    y: FloatArray
    angle: FloatArray
    theta: FloatArray
    margin: FloatArray
    phi: FloatArray

    def __len__(self) -> int:
        return len(self.pdg)

    @property
    def directions(self) -> FloatArray:
        """Unit vectors (n, 3) in the region's own frame."""
        aside = np.sin(self.angle)
        columns = (aside * np.cos(self.phi), aside * np.sin(self.phi), np.cos(self.angle))
        return np.column_stack(columns)

    @property
    def askew(self) -> FloatArray:
        """The angle between the direction and the region's x-z plane (n,), rad."""
        within = np.cos(self.angle) / np.cos(self.theta)
        askew: FloatArray = np.arccos(np.minimum(within, 1.0))
        return askew

    def take(self, index: Array) -> Self:
        """Return the particles of ``index``: positions or a Boolean mask."""
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


class Rule(Frozen):
    """Who answers for some particles.

    Attributes:
        particles: names or PDG ids.
        energy: lowest and highest kinetic energy, MeV, both included; None: any.
        regions: names of regions; empty: any.
        max_angle: largest angle to the normal of the face, rad; None: any for ``full``, 1 mrad
            where a simulator answers, for what ships was trained on particles that come straight.
        containment: how far inside of the face's edges the particle must enter, mm.
        simulator: a name under the card's ``simulators``, or ``full``.
    """

    particles: tuple[str, ...] = Field(min_length=1)
    energy: tuple[Energy, Energy] | None = None
    regions: tuple[str, ...] = ()
    max_angle: Annotated[Angle, Field(ge=0)] | None = None
    containment: Annotated[Length, Field(ge=0)] = 0.0
    simulator: str

    @field_validator("particles")
    @classmethod
    def _known_particles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            _checked_pdg(name)
        return value

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Self:
        if self.energy is not None and not 0 <= self.energy[0] <= self.energy[1]:
            msg = "energy goes from the lower to the higher"
            raise ValueError(msg)
        return self

    @cached_property
    def pdg_ids(self) -> tuple[int, ...]:
        """The particles' PDG ids."""
        return tuple(pdg_id(name) for name in self.particles)

    @property
    def is_fast(self) -> bool:
        """Whether a simulator answers."""
        return self.simulator != FULL

    @property
    def lowest_energy(self) -> float:
        """The lowest kinetic energy that it applies to, MeV."""
        return 0.0 if self.energy is None else self.energy[0]

    def covers(self, region: str) -> bool:
        """Return whether the rule applies in a region."""
        return not self.regions or region in self.regions

    def matches(self, region: str, entries: Entries) -> BoolArray:
        """Return for which particles (n,) that enter a region the rule holds."""
        if not self.covers(region):
            return np.zeros(len(entries), bool)
        matched = np.isin(entries.pdg, self.pdg_ids) & (entries.margin >= self.containment)
        if self.energy is not None:
            matched &= (entries.energy >= self.energy[0]) & (entries.energy <= self.energy[1])
        limit = SMALL_ANGLE if self.max_angle is None and self.is_fast else self.max_angle
        return matched if limit is None else matched & (entries.angle <= limit)


def first_match(rules: Sequence[Rule], region: str, entries: Entries) -> IntArray:
    """Return the number of the first rule that holds for each particle (n,); -1: none does."""
    first = np.full(len(entries), -1, np.int64)
    for number, rule in reversed(list(enumerate(rules))):
        first[rule.matches(region, entries)] = number
    return first


def lowest_energies(rules: Sequence[Rule]) -> dict[int, float]:
    """Return, for each particle that may be handed over, the lowest energy at which it is, MeV."""
    lowest: dict[int, float] = {}
    for rule in rules:
        for pdg in rule.pdg_ids if rule.is_fast else ():
            lowest[pdg] = min(lowest.get(pdg, np.inf), rule.lowest_energy)
    return lowest


def _checked_pdg(name: str) -> int:
    """Return a particle's PDG id; a ``ValueError``, so that cards say where it stands."""
    try:
        return pdg_id(name)
    except SimulacraError as error:
        raise ValueError(str(error)) from None


def known_particle(name: str) -> str:
    """Return the name of a particle that there is; a ``ValueError`` where there is none."""
    _checked_pdg(name)
    return name
