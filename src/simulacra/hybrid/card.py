"""The hybrid card: calorimeters in a world, simulators, rules that choose, and the events."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simulacra.detectors.base import Frozen
from simulacra.errors import SimulacraError
from simulacra.fullsim import Geant4Settings
from simulacra.hybrid.primaries import ParticleCard
from simulacra.hybrid.rules import FULL, Rule, known_particle
from simulacra.training.card import CardFile
from simulacra.units import Angle, Length

NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME)]


class OverlayCard(Frozen):
    """Events of a library that are added to what a region reads out.

    Attributes:
        library: an events file of the region's read-out, or a pattern of several.
        mean: of the Poisson distribution of the number that an event gets.
        number: instead of a mean, exactly how many.
    """

    library: str
    mean: float | None = Field(default=None, ge=0)
    number: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_law(self) -> Self:
        if (self.mean is None) == (self.number is None):
            msg = "give either a mean or a number"
            raise ValueError(msg)
        return self


class RegionCard(Frozen):
    """A calorimeter in the world.

    Attributes:
        detector: a shipped detector's name or a YAML file.
        position: the middle of its front face in the world, mm.
        turn: by how much it is turned around the world's y axis, rad; unturned, it looks along +z.
        readout: ``layers``: all cells of its layers; ``window``: those around the impact, which
            needs one particle per event, aimed at it.
        overlay: events that are added to the region's own, such as pile-up.
    """

    detector: str
    position: tuple[Length, Length, Length] = (0.0, 0.0, 0.0)
    turn: Angle = 0.0
    readout: Literal["layers", "window"] = "layers"
    overlay: OverlayCard | None = None


class SimulatorCard(Frozen):
    """A fast simulator.

    Attributes:
        folder: a shipped simulator's name or a simulator's folder.
        particles: what it was trained on, where it does not say so itself.
    """

    folder: str
    particles: tuple[str, ...] = ()

    @field_validator("particles")
    @classmethod
    def _known_particles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(known_particle(name) for name in value)


class HybridCard(CardFile):
    """A whole hybrid card.

    Attributes:
        regions: the calorimeters by name.
        simulators: the fast simulators by name; a plain text is the folder.
        rules: who answers for a particle that enters a calorimeter; the first that matches. What
            matches none stays in full simulation.
        particles: what every event begins with.
        events: number of events.
        physics: Geant4's physics list, as for ``simulacra simulate``.
        cut: production threshold in range, mm; None for the calorimeters' own.
        seed: where all random numbers come from.
    """

    regions: dict[Name, RegionCard] = Field(min_length=1)
    simulators: dict[Name, SimulatorCard] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    particles: tuple[ParticleCard, ...] = Field(min_length=1)
    events: int = Field(ge=1)
    physics: str = "opt0"
    cut: Annotated[Length, Field(gt=0)] | None = None
    seed: int = Field(default=1, ge=0)

    @field_validator("simulators", mode="before")
    @classmethod
    def _plain_folders(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        if not isinstance(value, dict):
            return value
        return {k: {"folder": v} if isinstance(v, str) else v for k, v in value.items()}

    @field_validator("physics")
    @classmethod
    def _known_physics(cls, value: str) -> str:
        try:
            return Geant4Settings(particle="gamma", physics=value).physics
        except SimulacraError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        if FULL in self.simulators:
            msg = f"simulators: {FULL!r} is what rules call full simulation; choose another name"
            raise ValueError(msg)
        for number, rule in enumerate(self.rules):
            if rule.is_fast and rule.simulator not in self.simulators:
                known = ", ".join((FULL, *self.simulators))
                msg = f"rules.{number}: no simulator {rule.simulator!r}; there are {known}"
                raise ValueError(msg)
            for region in rule.regions:
                if region not in self.regions:
                    known = ", ".join(self.regions)
                    msg = f"rules.{number}: no region {region!r}; there are {known}"
                    raise ValueError(msg)
        if any(region.readout == "window" for region in self.regions.values()) and (
            sum(card.count for card in self.particles) > 1
        ):
            msg = "readout: a window needs one particle per event; read out the layers"
            raise ValueError(msg)
        return self

    @property
    def answering(self) -> tuple[str, ...]:
        """The names of the simulators that a rule asks, in the card's order."""
        asked = {rule.simulator for rule in self.rules}
        return tuple(name for name in self.simulators if name in asked)

    @property
    def geant4(self) -> Geant4Settings:
        """The settings of full simulation, with decays where any of the particles needs them."""
        each = [
            Geant4Settings(particle=card.particle, physics=self.physics, cut=self.cut)
            for card in self.particles
        ]
        return next((settings for settings in each if settings.decays), each[0])
