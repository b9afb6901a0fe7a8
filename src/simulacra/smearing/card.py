"""The card of a smearing: field, tracking efficiencies and resolutions, towers."""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulacra.arrays import Array, BoolArray, FloatArray
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.files.mistakes import did_you_mean
from simulacra.files.small_files import read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml
from simulacra.units import GEV, Energy, Length, MagneticField

PositiveLength = Annotated[Length, Field(gt=0)]
Part = Annotated[float, Field(ge=0)]
EtaRange = tuple[Part, Part]
OTHER: Literal["other"] = "other"
"""Particles without a row of their own."""


class Band(Frozen):
    """A range of |η|: the lower end is excluded unless it is 0, the upper one included."""

    eta: EtaRange

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if not self.eta[0] < self.eta[1]:
            msg = "eta goes from the lower to the higher"
            raise ValueError(msg)
        return self

    def holds(self, eta: FloatArray) -> BoolArray:
        """Return for which pseudorapidities (n,) it is meant."""
        size = np.abs(eta)
        return ((size > self.eta[0]) | (self.eta[0] == 0)) & (size <= self.eta[1])


class Efficiency(Band):
    """A tracking efficiency in a range of |η| and of p_T.

    Attributes:
        pt: range of the transverse momentum, MeV; the lower end is excluded.
        value: the efficiency at the lower end.
        decay: it falls as exp(−(p_T − lower end) / decay), MeV; None: it does not.
    """

    pt: tuple[Energy, Energy | None]
    value: float = Field(ge=0, le=1)
    decay: Annotated[Energy, Field(gt=0)] | None = None

    def at(self, eta: FloatArray, pt: FloatArray) -> FloatArray:
        """Return the efficiency (n,); 0 outside the ranges."""
        high = math.inf if self.pt[1] is None else self.pt[1]
        inside = self.holds(eta) & (pt > self.pt[0]) & (pt <= high)
        fall = 1.0 if self.decay is None else np.exp(-np.maximum(pt - self.pt[0], 0) / self.decay)
        return np.where(inside, self.value * fall, 0.0)


class TrackResolution(Band):
    """Relative resolution of p_T in a range of |η|: √(constant² + (slope p_T)²), p_T in GeV."""

    constant: Part
    slope: Part = 0.0

    def at(self, eta: FloatArray, pt: FloatArray) -> FloatArray:
        """Return the relative resolution (n,); 0 outside the range."""
        return np.where(self.holds(eta), np.hypot(self.constant, self.slope * pt / GEV), 0.0)


class TrackRow(Frozen):
    """Charged particles of some PDG ids (their absolute values), and how they are tracked."""

    particles: tuple[int, ...] | Literal["other"]
    efficiency: tuple[Efficiency, ...]
    resolution: tuple[TrackResolution, ...]


class EnergyResolution(Band):
    """Resolution of a tower's energy in a range of |η|.

    σ = (f_0 + f_1 (|η| − at) + f_2 (|η| − at)²) √((constant E)² + stochastic² E + noise²)

    Attributes:
        constant: a number.
        stochastic: √GeV.
        noise: MeV.
        factor: f_0, f_1, f_2.
        at: of the factor.
    """

    constant: Part = 0.0
    stochastic: Part = 0.0
    noise: Annotated[Energy, Field(ge=0)] = 0.0
    factor: tuple[float, float, float] = (1.0, 0.0, 0.0)
    at: float = 0.0

    def sigma(self, eta: FloatArray, energy: FloatArray) -> FloatArray:
        """Return σ (n,) in MeV of energies (n,) in MeV; 0 outside the range."""
        away = np.abs(eta) - self.at
        factor = self.factor[0] + self.factor[1] * away + self.factor[2] * away**2
        square = (self.constant * energy) ** 2 + self.stochastic**2 * GEV * energy + self.noise**2
        return np.where(self.holds(eta), factor * np.sqrt(square), 0.0)


class Rings(Frozen):
    """Rings of towers from the end of those before, on both sides of η = 0.

    Attributes:
        edges: upper ends in |η|, ascending.
        until, number: instead, so many rings of equal width up to ``until``.
        phi: towers in a ring.
    """

    edges: tuple[Part, ...] = ()
    until: Part | None = None
    number: int = Field(default=0, ge=0, le=10_000)
    phi: int = Field(ge=1, le=10_000)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.edges) == (self.until is not None) or (self.until is None) != (
            not self.number
        ):
            msg = "give either edges, or until and number"
            raise ValueError(msg)
        return self

    def upper(self, start: float) -> FloatArray:
        """Return the upper ends in |η| of rings that begin at ``start``."""
        if self.until is None:
            return np.array(self.edges)
        return np.linspace(start, self.until, self.number + 1)[1:]


class CalorimeterCard(Frozen):
    """Towers of a calorimeter.

    Attributes:
        towers: rings from the middle outwards.
        resolution: of the energy, by |η|.
        smallest_energy: towers below it are empty, MeV.
        smallest_significance: and those below so many σ.
        spread_centres: whether a tower's direction is anywhere in it, else its middle.
    """

    towers: tuple[Rings, ...] = Field(min_length=1)
    resolution: tuple[EnergyResolution, ...] = Field(min_length=1)
    smallest_energy: Annotated[Energy, Field(ge=0)] = 0.0
    smallest_significance: Part = 0.0
    spread_centres: bool = True

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if np.any(np.diff(self.eta_edges) <= 0):
            msg = "towers: the edges ascend from ring to ring"
            raise ValueError(msg)
        return self

    @property
    def eta_edges(self) -> FloatArray:
        """Edges of all rings in |η|, from 0 (r + 1,)."""
        edges = np.zeros(1)
        for rings in self.towers:
            edges = np.concatenate([edges, rings.upper(float(edges[-1]))])
        return edges

    @property
    def phi_counts(self) -> Array:
        """Towers of each ring (r,)."""
        return np.concatenate([np.full(len(r.edges) or r.number, r.phi) for r in self.towers])

    def sigma(self, eta: FloatArray, energy: FloatArray) -> FloatArray:
        """Return σ (n,) in MeV of towers at η with energies in MeV, each (n,)."""
        total: FloatArray = np.sum([band.sigma(eta, energy) for band in self.resolution], axis=0)
        return total


class SmearingCard(Frozen):
    """All that turns generated particles into tracks and towers.

    Attributes:
        name: of the card.
        description: one line.
        source: where the numbers come from.
        field: along +z, T.
        radius, half_length: of the cylinder of the field, on which the calorimeters lie, mm.
        tracks: by particle; one row is for ``other`` charged particles.
        fractions: of the total energy in the electromagnetic and the hadronic calorimeter, by the
            absolute value of the PDG id, and of ``other`` particles.
        electromagnetic, hadronic: the calorimeters.
    """

    name: str
    description: str = ""
    source: str = ""
    field: MagneticField
    radius: PositiveLength
    half_length: PositiveLength
    tracks: tuple[TrackRow, ...]
    fractions: dict[int | Literal["other"], tuple[Part, Part]]
    electromagnetic: CalorimeterCard
    hadronic: CalorimeterCard

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if OTHER not in self.fractions:
            msg = "fractions: say those of 'other' particles"
            raise ValueError(msg)
        for who, parts in self.fractions.items():
            if sum(parts) > 1 + 1e-9:
                msg = f"fractions: those of {who} add up to more than 1"
                raise ValueError(msg)
        return self

    def fractions_of(self, pdg: Array) -> FloatArray:
        """Return the fractions (n, 2) of particles (n,)."""
        found: FloatArray = np.tile(np.array(self.fractions[OTHER], np.float64), (len(pdg), 1))
        for who, parts in self.fractions.items():
            if who != OTHER:
                found[np.abs(pdg) == who] = parts
        return found


def shipped_cards(folder: str) -> tuple[str, ...]:
    """Return the names of the cards in a folder of this package."""
    names = (entry.name for entry in (resources.files("simulacra.smearing") / folder).iterdir())
    return tuple(sorted(n.removesuffix(".yaml") for n in names if n.endswith(".yaml")))


def card_text(name: str | Path, folder: str) -> str:
    """Return the text of a shipped card by its name, or of a file.

    Raises:
        CardError: there is none.
    """
    if str(name) in shipped_cards(folder):
        place = resources.files("simulacra.smearing") / folder / f"{name}.yaml"
        return place.read_text(encoding="utf-8")
    if not Path(name).is_file():
        known = shipped_cards(folder)
        msg = f"no card {str(name)!r}: give a YAML file, or {' or '.join(known)}"
        raise CardError(msg + did_you_mean(str(name), known))
    return read_text(Path(name), CardError)


def load_smearing(card: SmearingCard | str | Path) -> SmearingCard:
    """Return a smearing card: itself, a shipped one by its name, or a YAML file.

    Raises:
        CardError: there is none, or a key or value is wrong.

    Example:
        >>> load_smearing("cms").field, load_smearing("atlas").field
        (3.8, 2.0)
    """
    if isinstance(card, SmearingCard):
        return card
    text = card_text(card, "cards")
    with one_line_errors(str(card), CardError):
        return SmearingCard.model_validate(parse_yaml(text))
