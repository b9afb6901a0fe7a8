"""One trial: train a card with each of its seeds, report the score as it goes, time the result."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from simulacra.benchmark.timing import median_ms
from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.files.atomic import remove
from simulacra.files.devices import CPU, device_of
from simulacra.files.progress import OnProgress, silent
from simulacra.observables.selection_score import EpochSelection
from simulacra.simulators.ranges import trained_ranges
from simulacra.simulators.trained import TrainedSimulator, decided
from simulacra.training import fit
from simulacra.training.card import Card
from simulacra.training.journal import Row
from simulacra.training.run import OnEvaluation, Trained, fingerprint
from simulacra.training.samples import training_events
from simulacra.training.streams import Training, known_of, sample_of
from simulacra.tuning.card import TuneCard
from simulacra.tuning.study import OWN, REASON, WORK

if TYPE_CHECKING:
    from optuna import Study, Trial

PARTS = 10
"""Parts of a training at which trials are compared."""
TIMED_EVENTS, TIMED_SECONDS = 500, 1.0
"""Events that are generated at once to time a simulator, and for how long."""
SCORES, FLOOR, SECONDS, TIME = "scores", "floor", "seconds", "ms"
"""Facts of a trial: a score for each seed, that of full simulation, processor time of the
trainings, ms per event."""
VALUES = "values"
"""Fact of a trial of the confirmation: the values of the card that it trains."""
SEED = "seed"


def processor_clock() -> float:
    """Return the processor time of this process per thread of torch, in seconds.

    Trials get equal shares of it, whatever else runs on the machine.
    """
    return time.process_time() / torch.get_num_threads()


def clock_of(card: Card) -> Callable[[], float]:
    """Return what measures a trial's minutes: a processor waits for the device that it has."""
    on_cpu = device_of(card.training.accelerator) == CPU
    return processor_clock if on_cpu else time.perf_counter


@dataclass(frozen=True)
class Bench:
    """The trainings of a study: one sample for all cards.

    Attributes:
        card: the card of the search.
        folder: the study's folder.
    """

    card: TuneCard
    folder: Path

    @cached_property
    def samples(self) -> tuple[Training, Events]:
        """The events to learn from, and those to select by."""
        detector = load_detector(self.card.card.detector)
        return training_events(self.card.card, detector)

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """The digests of both samples."""
        return tuple(map(fingerprint, self.samples))

    @property
    def identity(self) -> str:
        """A digest of the card and of the events."""
        return "-".join([self.card.identity, *self.digests])

    def train(
        self,
        card: Card,
        worker: str,
        on_progress: OnProgress = silent,
        on_evaluation: OnEvaluation = lambda *_: None,
    ) -> Trained:
        """Train a card of the study; nothing of it stays on the disk."""
        train, selection = self.samples
        work = self.folder / WORK / worker
        try:
            card, _ = decided(card, sample_of(train))
            return fit(
                card,
                train,
                selection,
                work,
                EpochSelection,
                on_progress,
                on_evaluation=on_evaluation,
                clock=clock_of(card),
                digests=self.digests,
            )
        finally:
            remove(work)

    def milliseconds(self, trained: Trained) -> float:
        """Return the processor time of a generated event, with the selection's conditions, ms."""
        train, selection = self.samples
        simulator = TrainedSimulator(
            trained.surrogate.eval(), trained.card, trained_ranges(known_of(train))
        )
        repeats = -(-TIMED_EVENTS // len(selection))
        conditions = Conditions.concatenate([selection.conditions] * repeats)
        per_call = median_ms(
            lambda: simulator.simulate(conditions, seed=1, extrapolate=True),
            TIMED_SECONDS,
            processor_clock,
        )
        return per_call / len(conditions)


def search_trial(bench: Bench, study: Study, trial: Trial, worker: str) -> None:
    """Train a trial of the search and tell the study its values."""
    from optuna import TrialPruned
    from optuna.trial import TrialState

    space = bench.card.study.space
    labels = {key: _suggested(trial, key, bench.card) for key in space}
    values = {key: space[key].labels().get(v, v) for key, v in labels.items()}
    if values == bench.card.own_values():
        trial.set_user_attr(OWN, True)
    scores: list[float] = []
    seconds, times, floor = 0.0, [], 0.0
    try:
        for number, seed in enumerate(bench.card.seeds):
            card = bench.card.with_values(values, seed)
            reports = _Reports(trial, number, judge=bench.card.study.prunes)
            trained = bench.train(card, worker, reports.on_progress, reports.on_evaluation)
            scores.append(trained.score)
            seconds += trained.history[-1]["cpu_seconds"]
            floor = trained.floor
            if len(bench.card.study.objectives) > 1:
                times.append(bench.milliseconds(trained))
            _keep(trial, {SCORES: scores, FLOOR: floor, SECONDS: seconds})
    except TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except SimulacraError as error:  # values that do not go together, or a training that diverged
        _keep(trial, {REASON: str(error)})
        study.tell(trial, state=TrialState.FAIL)
    else:
        found = [statistics.fmean(scores)]
        if times:
            found.append(statistics.fmean(times))
            _keep(trial, {TIME: found[1]})
        study.tell(trial, found)


def confirmation_trial(bench: Bench, study: Study, trial: Trial, worker: str) -> None:
    """Train the card and the seed that a queued trial names, and tell the study the score."""
    from optuna.trial import TrialState

    facts = trial.user_attrs
    card = bench.card.with_values(facts[VALUES], facts[SEED])
    try:
        trained = bench.train(card, worker)
    except SimulacraError as error:
        _keep(trial, {REASON: str(error)})
        study.tell(trial, state=TrialState.FAIL)
        return
    row = trained.history[-1]
    _keep(trial, {FLOOR: trained.floor, SECONDS: row["cpu_seconds"], "steps": row["step"]})
    study.tell(trial, trained.score)


def _keep(trial: Trial, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        trial.set_user_attr(name, value)


def _suggested(trial: Trial, key: str, card: TuneCard) -> Any:  # noqa: ANN401 - as the space has it
    """Return what the sampler suggests for a key."""
    parameter = card.study.space[key]
    if parameter.choices is not None:
        return trial.suggest_categorical(key, list(parameter.labels()))
    low, high, step = parameter.low, parameter.high, parameter.step
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(key, low, high, step=int(step or 1), log=parameter.log)
    if low is None or high is None:
        msg = f"{key}: neither choices nor a range"
        raise SimulacraError(msg)
    return trial.suggest_float(key, low, high, step=step, log=parameter.log)


class _Reports:
    """What a training of a trial tells the study, which may stop it.

    Trainings of equal time differ in their steps, so scores are compared at tenths of a training:
    the first evaluation in each counts.
    """

    def __init__(self, trial: Trial, number: int, *, judge: bool) -> None:
        self._trial, self._judge = trial, judge
        self._before, self._reached, self._steps = PARTS * number, 0, 1

    def on_progress(self, _phase: str, _step: int, steps: int) -> None:
        self._steps = steps

    def on_evaluation(self, row: Row, _best: Row) -> None:
        """Report a score.

        Raises:
            TrialPruned: the trial is to be stopped.
        """
        from optuna import TrialPruned

        tenth = int(PARTS * row["step"] / self._steps)
        if not self._judge or tenth <= self._reached:
            return
        self._reached = tenth
        self._trial.report(row["score"], self._before + tenth)
        if tenth < PARTS and self._trial.should_prune():
            raise TrialPruned
