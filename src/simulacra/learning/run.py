"""The whole way in one call: simulate, split, train, validate, and tell what more would bring.

Each step keeps its product in the folder; the same call goes on with the first one that lacks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulacra.detectors import load_detector
from simulacra.errors import SimulacraError
from simulacra.faces.text import Described
from simulacra.files.atomic import write_whole_text
from simulacra.files.mistakes import summarise_validation_error
from simulacra.files.progress import OnProgress, silent
from simulacra.fullsim.datasets import DataSet, require_geant4
from simulacra.fullsim.verb import settings_of, simulate
from simulacra.fullsim.workers import WorkerPool
from simulacra.io import read_events, write_events
from simulacra.io.split import part_paths, split_events
from simulacra.learning.curve import Point, measured_curve
from simulacra.learning.forecast import PowerLaw, sentence
from simulacra.learning.kinds import default_model
from simulacra.learning.plan import SHARES, Plan, Request, read_plan
from simulacra.learning.rate import measured_rate
from simulacra.models import find_model
from simulacra.simulators.generate import generate
from simulacra.simulators.trained import TrainedSimulator, train
from simulacra.training.card import Card
from simulacra.training.run import OnEvaluation, OnNote
from simulacra.validation import Validation, validate

EVENTS, FLOOR, CARD = "events.h5", "floor.h5", "card.yaml"
SIMULATOR, FAST, REPORT, SUMMARY = "simulator", "fast.h5", "report", "learned.md"


@dataclass(frozen=True, slots=True, repr=False)
class Learned(Described):
    """What came of it.

    Attributes:
        plan: how the time was spent.
        simulator: the trained simulator.
        validation: of events that it generated, against Geant4's.
        points: the learning curve.
    """

    plan: Plan
    simulator: TrainedSimulator
    validation: Validation
    points: tuple[Point, ...]

    @property
    def showers(self) -> PowerLaw | None:
        """The score against the events that are learned from, in trainings of equal time."""
        points = [p for p in self.points if p.time == 1]
        return PowerLaw.fitted([p.events for p in points], [p.score for p in points])

    @property
    def steps(self) -> PowerLaw | None:
        """The score against the steps, with all events: short trainings and the simulator's."""
        about = self.simulator.about
        points = [p for p in self.points if p.part == 1]
        amounts = [*(p.steps for p in points), self.simulator.card.training.steps or 1]
        return PowerLaw.fitted(amounts, [*(p.score for p in points), about["selection_score"]])

    @property
    def forecasts(self) -> tuple[str, ...]:
        """What more showers and more steps would bring, one sentence each."""
        floor = self.simulator.about["selection_floor"]
        hours = self.plan.simulation_minutes / 60
        training = self.plan.training_minutes / 60
        return (
            f"{sentence(self.showers, 'showers', floor)}; "
            f"twice the showers take {hours:.2g} h more of Geant4",
            f"{sentence(self.steps, 'steps', floor)}; "
            f"twice the steps take {training:.2g} h more of training",
        )

    def describe(self) -> dict[str, Any]:
        """Return the facts on the simulator and on what more would bring."""
        about = self.simulator.about
        return {
            "simulator": f"{self.plan.request.model} of {self.simulator.detector.name}",
            "learned from": f"{about['train_events']} events",
            "steps": self.simulator.card.training.steps,
            "selection score": round(about["selection_score"], 4),
            "score of full simulation": round(about["selection_floor"], 4),
            "more showers": self.forecasts[0],
            "more hours": self.forecasts[1],
        }


def learn(
    detector: str | Path,
    particle: str | None,
    energy: str,
    hours: float,
    folder: str | Path,
    *,
    model: str | None = None,
    physics: str = "opt0",
    seed: int = 1,
    workers: int = 1,
    overrides: Sequence[str] = (),
    executor: Executor | None = None,
    on_progress: OnProgress = silent,
    on_note: OnNote = lambda _: None,
    on_evaluation: OnEvaluation = lambda *_: None,
) -> Learned:
    """Simulate, split, train, validate, and measure what more events or time would bring.

    Worker processes import the main module, so a script calls this below
    ``if __name__ == "__main__":``.

    Args:
        detector: a shipped detector, or a detector's file.
        particle: as :func:`simulacra.simulate` takes it.
        energy: as :func:`simulacra.simulate` takes it.
        hours: time for everything; a plan, not a limit.
        folder: gets events, card, simulator, report and a summary; the same call goes on there.
        model: kind of the model; None for the one of the detector's kind.
        physics: Geant4's physics list.
        seed: of the events and the training.
        workers: local processes for Geant4.
        overrides: changes to the card, ``training.learning_rate=1e-3``.
        executor: where to run Geant4 instead.
        on_progress: called with (phase, done, total).
        on_note: called with the plan before the work, and with what is decided.
        on_evaluation: called after every evaluation of the training.

    Raises:
        MissingDependencyError: Geant4 or its data are not installed.
        SimulacraError: an argument cannot be used, too few events fit into the time, the folder is
            of another request, or a step failed; the products of earlier steps are kept.
    """
    folder, matter = Path(folder), load_detector(detector)
    kind = model or default_model(matter)
    find_model(kind).check(matter)
    request = _request(
        detector=str(detector),
        fingerprint=matter.fingerprint,
        particle=particle,
        energy=energy,
        hours=hours,
        model=kind,
        physics=physics,
        seed=seed,
        workers=workers,
        overrides=tuple(overrides),
    )
    settings = settings_of(particle, physics)
    _card(request, folder, hours)  # refuses overrides before the work
    known = read_plan(folder, request)
    with _Pool(executor, workers, settings.data_sets) as pool:
        plan = known or Plan.of(request, matter, measured_rate(request, pool()))
        plan.write(folder)
        for note in plan.notes():
            on_note(note)
        _simulate_all(plan, folder, pool, on_progress, on_note)
    simulator = _trained(plan, folder, on_progress, on_note, on_evaluation)
    validation = _validated(folder, simulator, seed, on_progress)
    points = measured_curve(simulator.card, matter, plan.curve_minutes, folder, on_progress)
    learned = Learned(plan, simulator, validation, points)
    from simulacra.learning.summary import write_summary  # loads matplotlib

    write_summary(learned, folder)
    return learned


def _request(**asked: Any) -> Request:  # noqa: ANN401 - whatever a caller gives
    try:
        return Request(**asked)
    except ValueError as error:
        raise SimulacraError(summarise_validation_error(error)) from None


class _Pool(ExitStack):
    """Processes with Geant4 that are started when they are first needed."""

    def __init__(
        self, executor: Executor | None, workers: int, data_sets: Iterable[DataSet]
    ) -> None:
        super().__init__()
        self._executor, self._workers, self._data_sets = executor, workers, data_sets

    def __call__(self) -> Executor:
        if self._executor is None:
            require_geant4(self._data_sets)  # one clear line before processes start
            self._executor = self.enter_context(WorkerPool(self._workers))
        return self._executor


def paths_of(folder: Path) -> dict[str, Path]:
    """Return the files of the three parts of the events, by name."""
    return part_paths(folder / EVENTS, SHARES)


def _simulate_all(
    plan: Plan,
    folder: Path,
    pool: Callable[[], Executor],
    on_progress: OnProgress,
    on_note: OnNote,
) -> None:
    """Simulate the events that are not there yet, and split them."""
    request = plan.request
    for number, (name, n) in enumerate(((EVENTS, plan.events), (FLOOR, plan.floor))):
        if (folder / name).is_file():
            continue
        simulate(
            request.detector,
            request.particle,
            request.energy,
            n,
            request.seed + number,
            physics=request.physics,
            executor=pool(),
            output=folder / name,
            on_progress=on_progress,
            on_note=on_note if number == 0 else None,
        )
    paths = paths_of(folder)
    if not all(path.is_file() for path in paths.values()):
        parts = split_events(read_events(folder / EVENTS), SHARES, request.seed)
        for name, path in paths.items():
            write_events(parts[name], path)


def _card(request: Request, folder: Path, minutes: float) -> Card:
    """Return the card of the training."""
    paths = paths_of(folder)
    text = "\n".join(
        (
            f"detector: {request.detector!r}",
            f"data: {{train: {str(paths['train'])!r}, selection: {str(paths['selection'])!r}}}",
            f"model: {{kind: {request.model}}}",
            f"training: {{minutes: {minutes:.6g}}}",
            f"seed: {request.seed}",
        )
    )
    return Card.parse(text, "the card", request.overrides)


def _trained(
    plan: Plan,
    folder: Path,
    on_progress: OnProgress,
    on_note: OnNote,
    on_evaluation: OnEvaluation,
) -> TrainedSimulator:
    """Train the simulator, or load the one that is there."""
    place = folder / SIMULATOR
    if place.is_dir():
        return TrainedSimulator.load(place)
    card = _card(plan.request, folder, plan.training_minutes)
    write_whole_text(folder / CARD, card.to_yaml())
    return train(card, place, on_progress, on_note=on_note, on_evaluation=on_evaluation)


def _validated(
    folder: Path, simulator: TrainedSimulator, seed: int, on_progress: OnProgress
) -> Validation:
    """Compare generated events with those of Geant4 that nothing was learned from."""
    if (numbers := folder / REPORT / "metrics.json").is_file():
        return Validation.load(numbers)
    test = paths_of(folder)["test"]
    if not (folder / FAST).is_file():
        write_events(generate(simulator, like=str(test), seed=seed), folder / FAST)
    samples = [read_events(path) for path in (test, folder / FAST, folder / FLOOR)]
    validation = validate(samples[0], samples[1], baseline=samples[2], on_progress=on_progress)
    validation.report(folder / REPORT, on_progress)
    return validation
