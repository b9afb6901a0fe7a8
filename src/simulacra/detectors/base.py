"""What every detector file has: a name, the conditions it declares and the arrays it reads out."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from simulacra.arrays import Array, BoolArray, FloatArray
from simulacra.errors import DetectorError
from simulacra.faces.lazy import late
from simulacra.faces.text import Described
from simulacra.files.mistakes import UNKNOWN_KEY
from simulacra.particles import PDG, names_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Role = Literal["log", "linear", "cyclic", "categorical"]
_draw = late("simulacra.drawings:draw_detector")


class Frozen(BaseModel):
    """A part of a file that users write: immutable, and a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, content: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        """Refuse an unknown key with the known ones, so that a message can name the nearest."""
        if isinstance(content, dict):
            for key in content:
                if key not in cls.model_fields:
                    known = {"key": str(key), "known": " ".join(cls.model_fields)}
                    raise PydanticCustomError(UNKNOWN_KEY, "unknown key", known)
        return content


class ConditionSpec(Frozen):
    """How one condition is to be understood.

    ``log`` columns are positive and enter networks as logarithms, ``linear`` ones as they are,
    ``cyclic`` ones as sine and cosine (rad), ``categorical`` ones one-hot.
    """

    role: Role
    unit: str = ""
    categories: tuple[int, ...] | None = None
    description: str = ""

    @model_validator(mode="after")
    def _categories_belong_to_categorical(self) -> Self:
        if (self.role == "categorical") != bool(self.categories):
            msg = "categories are given exactly for a categorical condition"
            raise ValueError(msg)
        return self

    def text(self, name: str) -> str:
        """Return role, unit and categories in words; those of ``pdg`` are particles."""
        words = [self.role, *([self.unit] if self.unit else [])]
        if self.categories:
            values = (
                names_of(self.categories) if name == PDG else ", ".join(map(str, self.categories))
            )
            words.append(f"one of {values}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class ResponseArray:
    """One array of the response.

    Attributes:
        shape: for a single event.
        unit: of its numbers.
        signed: how many numbers come first along the last axis that may have either sign, such as
            coordinates; the others are energies or charges, never below zero.
    """

    shape: tuple[int, ...]
    unit: str
    signed: int = 0

    def negative(self, values: Array) -> BoolArray:
        """Return where numbers (n, *shape) are negative that must not be."""
        below: BoolArray = values[..., self.signed :] < 0
        return below


class Detector(Described, Frozen):
    """A detector as data; each kind is a class of its own, in :data:`simulacra.detectors.KINDS`.

    Attributes:
        kind: the kind's name.
        name: the detector's name.
        description: one line.
        conditions: the conditions of its events and their roles.
    """

    kind: str
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = ""
    conditions: dict[str, ConditionSpec]

    unbuilt: ClassVar[dict[str, Any]] = {"description": True}
    """What of the content is neither built nor read out, as pydantic excludes it."""

    @model_validator(mode="after")
    def _particles_are_named(self) -> Self:
        if PDG in self.conditions and self.conditions[PDG].role != "categorical":
            msg = f"conditions: {PDG!r} is categorical, its categories are PDG ids"
            raise ValueError(msg)
        return self

    def describe(self) -> dict[str, Any]:
        """Return the facts on the detector: read-out, conditions and what it is built of."""
        return {
            "detector": self.name,
            "description": self.description,
            "kind": self.kind,
            "response": self.response_facts,
            "conditions": {name: spec.text(name) for name, spec in self.conditions.items()},
            "particles": names_of(self.particles),
            **self.built_facts(),
            "fingerprint": self.fingerprint[:16],
        }

    @property
    def response_facts(self) -> dict[str, str]:
        """Shape and unit of each array of an event, in words."""
        arrays = self.response_arrays.items()
        return {name: f"{array.shape} {array.unit}".strip() for name, array in arrays}

    def built_facts(self) -> dict[str, Any]:
        """Return what the detector is built of, the most important facts first."""
        return {}

    def plot(self) -> Figure:
        """Draw the detector: its matter, its cells in the order of the response, and its beam."""
        figure: Figure = _draw(self)
        return figure

    def to_yaml(self) -> str:
        """Return the detector as YAML text that loads back to an equal detector."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
        return text

    @property
    @abstractmethod
    def scale(self) -> str:
        """The positive condition that events are drawn, grouped and compared by.

        The kinetic energy for a calorimeter, the transverse momentum for a tracking chamber.
        """

    @property
    @abstractmethod
    def response_arrays(self) -> dict[str, ResponseArray]:
        """The arrays of an event, by name."""

    def draw(
        self,
        values: FloatArray,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> dict[str, Array]:
        """Return rows of conditions of particles with these values of the scale (n,), in MeV.

        Raises:
            DetectorError: the detector does not say where its particles come from.
        """
        msg = f"{self.name}: its file has no beam; conditions come from a file (--like)"
        raise DetectorError(msg)

    def why_impossible(self, columns: Mapping[str, Array]) -> str:  # noqa: ARG002
        """Return why no particle can have these conditions (n,); nothing where it can."""
        return ""

    @property
    def decisive_conditions(self) -> tuple[str, ...]:
        """The conditions that no model may ignore: without them it would mix events."""
        return ()

    @property
    def leaves_places_open(self) -> bool:
        """Whether events lie in different places of the response that no condition says."""
        return False

    @property
    def thresholds(self) -> tuple[float, ...]:
        """What observables depend on beside what is built and read out."""
        return ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what is built and read out: two files agree when these do."""
        return _digest(self.model_dump(mode="json", exclude=self.unbuilt, exclude_defaults=True))

    @property
    def readout_fingerprint(self) -> str:
        """SHA-256 of what is built and read out: neither names nor the particles that come in.

        Events of one calorimeter agree in it, whatever it is called and whether or not they say
        their particle.
        """
        unbuilt = self.unbuilt | {"name": True}
        content = self.model_dump(mode="json", exclude=unbuilt, exclude_defaults=True)
        for spec in content["conditions"].values():
            spec.pop("description", None)
        content["conditions"].pop(PDG, None)
        return _digest(content)

    @property
    def particles(self) -> tuple[int, ...]:
        """The particles that events can say they are of, by PDG id; empty where they do not."""
        return self.conditions[PDG].categories or () if PDG in self.conditions else ()

    def with_particles(self, ids: Sequence[int]) -> Self:
        """Return the detector whose events say their particle: the condition ``pdg``."""
        if tuple(ids) == self.particles:
            return self
        content = self.model_dump()
        content["conditions"][PDG] = {
            "role": "categorical",
            "categories": tuple(ids),
            "description": "PDG id of the particle",
        }
        return type(self).model_validate(content)

    def without_particles(self) -> Self:
        """Return the detector whose events do not say their particle, where they need not."""
        if PDG not in self.conditions:
            return self
        content = self.model_dump()
        del content["conditions"][PDG]
        return type(self).model_validate(content)


def _digest(content: object) -> str:
    # Without defaults, so that an option that is new to the format changes no known detector.
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
