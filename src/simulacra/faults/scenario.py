"""A scenario: faults one after the other, as YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.faults.fault import Fault
from simulacra.faults.kinds import FaultsOfKind, Place, kind_of
from simulacra.files.mistakes import did_you_mean, summarise_validation_error
from simulacra.files.small_files import read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml


class Step(Frozen):
    """One fault of a scenario.

    Attributes:
        fault: its name in the catalogue of the detector's kind.
        strength: in the unit of the fault; 0 is no fault.
        place: the channels that it strikes; empty: all.
    """

    fault: str
    strength: float
    place: dict[str, Any] = Field(default_factory=dict)


class Scenario(Frozen):
    """Faults that strike one after the other.

    Attributes:
        name: of the scenario.
        description: one line.
        steps: the faults in the order in which the signal meets them.
    """

    name: str
    description: str = ""
    steps: tuple[Step, ...] = Field(min_length=1)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the scenario of a YAML file.

        Raises:
            CardError: the file is missing or not YAML, or a key or value is wrong.
        """
        path = Path(path)
        if not path.is_file():
            msg = f"no scenario {path}: give a YAML file"
            raise CardError(msg)
        text = read_text(path, CardError)
        with one_line_errors(str(path), CardError):
            content = parse_yaml(text)
            if not isinstance(content, dict):
                msg = "a scenario is a mapping of keys to values"
                raise ValueError(msg)
            return cls.model_validate(content)

    def for_detector(self, detector: Detector) -> tuple[ReadyStep, ...]:
        """Return the steps with their functions and places.

        Raises:
            DetectorError: there are no faults for detectors of this kind.
            CardError: there is no such fault or place, or a strength is out of range.
        """
        kind = kind_of(detector)
        return tuple(
            self._ready(number, step, kind, detector) for number, step in enumerate(self.steps)
        )

    def _ready(self, number: int, step: Step, kind: FaultsOfKind, detector: Detector) -> ReadyStep:
        where = f"{self.name}: steps.{number}"
        if step.fault not in kind.faults:
            meant = did_you_mean(step.fault, kind.faults)
            msg = f"{where}: a {detector.kind} has no fault {step.fault!r}{meant}"
            raise CardError(msg)
        fault = kind.faults[step.fault]
        if not fault.low <= step.strength <= fault.high:
            unit = f" {fault.unit}" if fault.unit else ""
            msg = (
                f"{where}: the strength of {step.fault} ({fault.strength}) lies from "
                f"{fault.low:g} to {fault.high:g}{unit}, not {step.strength:g}"
            )
            raise CardError(msg)
        try:
            place = _place(kind.place, step.place)
            place.check(detector)
        except ValueError as error:
            said = summarise_validation_error(error)
            msg = f"{where}: place of {step.fault}: {said}"
            raise CardError(msg) from None
        return ReadyStep(step, fault, place)


def _place(kind: type[Place], content: Mapping[str, Any]) -> Place:
    validate = getattr(kind, "model_validate", None)
    made: Place = kind(**content) if validate is None else validate(content)
    return made


@dataclass(frozen=True, slots=True)
class ReadyStep:
    """A step with what a detector makes of it.

    Attributes:
        step: as it is written.
        fault: the row of the catalogue.
        place: the place.
    """

    step: Step
    fault: Fault
    place: Place
