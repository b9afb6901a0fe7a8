"""What the hours are spent on: planned once, from the measured rate of Geant4, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, field_validator

from simulacra.conditions import EnergySpectrum
from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.errors import SimulacraError
from simulacra.events import numbers_of
from simulacra.files.atomic import write_whole_text
from simulacra.files.memory import memory
from simulacra.files.small_files import read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml
from simulacra.io.split import split_rows

PLAN = "plan.yaml"
SIMULATING, TRAINING, CURVE = 0.35, 0.4, 0.2
"""Parts of the time for Geant4, for the training and for the learning curve; the rest is for the
validation and what is not planned."""
SHARES = (80.0, 10.0, 10.0)
"""Percent of the events that are learned from, select the step, and judge."""
FEWEST_EVENTS = 100
SHARE_OF_MEMORY = 0.1
"""Largest part of the memory that the events may take; a training holds them several times."""


class Request(Frozen):
    """What is asked for.

    Attributes:
        detector: a shipped detector, or a detector's file.
        fingerprint: of the detector's description.
        particle: as ``simulate`` takes it.
        energy: as ``simulate`` takes it.
        hours: time for everything.
        model: the kind of model.
        physics: Geant4's physics list.
        seed: of the events; the others follow from it.
        workers: local processes for Geant4.
        overrides: changes to the card.
    """

    detector: str
    fingerprint: str
    particle: str | None
    energy: str
    hours: float = Field(gt=0)
    model: str
    physics: str
    seed: int = Field(ge=0)
    workers: int = Field(gt=0)
    overrides: tuple[str, ...] = ()

    @field_validator("energy")
    @classmethod
    def _is_a_spectrum(cls, value: str) -> str:
        EnergySpectrum.parse(value)
        return value


@dataclass(frozen=True, slots=True)
class Plan:
    """How the time is spent.

    Attributes:
        request: what is asked for.
        rate: events per second of Geant4, as measured, with all workers.
        events: that are simulated, split by :data:`SHARES`.
        floor: further events, for the comparison of Geant4 with itself.
        limited: whether memory, not time, limits the events.
    """

    request: Request
    rate: float
    events: int
    floor: int
    limited: bool = False

    @classmethod
    def of(cls, request: Request, detector: Detector, rate: float) -> Self:
        """Return the plan for a measured rate.

        Raises:
            SimulacraError: too few events fit.
        """
        share = 1 + SHARES[-1] / sum(SHARES)
        in_time = int(SIMULATING * 3600 * request.hours * rate / share)
        at_most = int(SHARE_OF_MEMORY * memory() / (4 * numbers_of(detector)))
        events = min(in_time, at_most)
        if events < FEWEST_EVENTS:
            needed = FEWEST_EVENTS * share / (SIMULATING * 3600 * rate)
            msg = (
                f"--hours {request.hours:g}: only {events} events of Geant4 fit at {rate:.3g} per "
                f"second, {FEWEST_EVENTS} are the least; give {needed:.2g} hours or lower energies"
            )
            raise SimulacraError(msg)
        judging = len(split_rows(events, SHARES, request.seed)[-1])
        return cls(request, rate, events, judging, limited=at_most < in_time)

    @property
    def training_minutes(self) -> float:
        """The budget of the training."""
        return 60 * TRAINING * self.request.hours

    @property
    def curve_minutes(self) -> float:
        """The budget of all trainings of the learning curve."""
        return 60 * CURVE * self.request.hours

    @property
    def simulation_minutes(self) -> float:
        """The time that Geant4 is expected to take."""
        return (self.events + self.floor) / self.rate / 60

    def notes(self) -> Iterator[str]:
        """Yield the plan in words."""
        request = self.request
        learned, chosen, judged = (
            len(rows) for rows in split_rows(self.events, SHARES, request.seed)
        )
        why = "more than the memory holds are left out" if self.limited else "as many as fit"
        yield (
            f"Geant4: {self.simulation_minutes:.2g} min for {self.events} events, {why} at "
            f"{self.rate:.3g} per second: {learned} to learn from, {chosen} to select by, "
            f"{judged} to judge; and {self.floor} more for Geant4 against Geant4"
        )
        yield f"training: {self.training_minutes:.2g} min of {request.model}"
        yield f"learning curve: {self.curve_minutes:.2g} min of short trainings"
        rest = 60 * request.hours * (1 - SIMULATING - TRAINING - CURVE)
        yield f"validation: what it takes, {rest:.2g} min are left for it"

    def write(self, folder: Path) -> None:
        """Write the plan to a folder."""
        content = {**asdict(self), "request": self.request.model_dump(mode="json")}
        write_whole_text(folder / PLAN, yaml.safe_dump(content, sort_keys=False))


def read_plan(folder: Path, request: Request) -> Plan | None:
    """Return the plan in a folder; None where there is none.

    Raises:
        SimulacraError: the folder holds something else, or the plan is of another request.
    """
    path = folder / PLAN
    if not path.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            msg = f"{folder} is there and holds something else: choose another output"
            raise SimulacraError(msg)
        return None
    with one_line_errors(str(path), SimulacraError):
        content = parse_yaml(read_text(path, SimulacraError))
        known = Request.model_validate(content.pop("request"))
        plan = Plan(known, **content)
    different = [
        f"{name} {getattr(known, name)}"
        for name in Request.model_fields
        if name != "workers" and getattr(known, name) != getattr(request, name)
    ]
    if different:
        msg = f"{folder} is of another request ({', '.join(different)}): choose another output"
        raise SimulacraError(msg)
    return plan
