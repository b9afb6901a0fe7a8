"""From a card to trained weights: train, evaluate, keep the best epoch, survive interruption."""

from __future__ import annotations

import copy
import csv
import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from simulacra.conditions import Conditions
from simulacra.errors import CardError, SimulatorError, TrainingStoppedError
from simulacra.events import Events, numbers_of
from simulacra.files.atomic import whole_file
from simulacra.files.memory import require_room
from simulacra.files.progress import OnProgress, silent
from simulacra.files.simulator_files import CHECKPOINT, METRICS
from simulacra.files.small_files import read_text
from simulacra.files.tensors import below_prefix, read_tensors, with_prefix, write_tensors
from simulacra.models import Growing, find_model
from simulacra.models.surrogate import Surrogate
from simulacra.training.adversarial import AdversarialRun
from simulacra.training.batches import Batches, InMemory
from simulacra.training.budget import (
    SIZES,
    Clock,
    Plan,
    planned_batch,
    seconds_of_a_step,
    trial_of,
)
from simulacra.training.card import AdversarialCard, Card, Measure, TrainingCard, steps_of
from simulacra.training.compute import (
    common_clock,
    launched,
    only_first,
    own_share,
    wait_for,
    wall_clock,
)
from simulacra.training.degenerate import check_sample
from simulacra.training.journal import Row, described, write_line
from simulacra.training.likelihood import LikelihoodRun
from simulacra.training.reader import streamed
from simulacra.training.recovery import (
    RESTARTS,
    DivergedError,
    explosion,
    given_up,
    rate_after,
    require_finite,
)
from simulacra.training.stopping import Stop, noted_signals
from simulacra.training.streams import Stream, Training, sample_of

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PHASE = "training"

OnNote = Callable[[str], None]
OnEvaluation = Callable[[Row, Row], None]
"""Called after an evaluation with its row and the best one so far, empty where there is none."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The best epoch of a run.

    Attributes:
        surrogate: the model with the averaged weights of the selected step.
        step: that step.
        score: its selection score; 0 is perfect.
        floor: the score of full simulation; epochs that reach it are told apart by chance.
        history: one row per evaluation.
        card: the run card, with the planned steps in the place of a budget.
        plan: how the budget was planned, where the card gives one.
    """

    surrogate: Surrogate
    step: int
    score: float
    floor: float
    history: tuple[Row, ...]
    card: Card
    plan: Plan | None = None


class Score(Protocol):
    """A score of generated events against selection events; lower is better, 0 is perfect."""

    def row(self, generated: Events) -> Row:
        """Return the score as ``score``, and other numbers that are worth a column."""

    def floor(self, repeat: int, rng: np.random.Generator) -> float:
        """Return about the score of independent full simulation, ``repeat`` times as many."""


ScoreOf = Callable[[Events, Sequence[str] | None, Measure], Score]
"""The score against selection events, by groups of observables and a measure of distance."""


def fit(
    card: Card,
    train: Training,
    selection: Events,
    folder: Path,
    score: ScoreOf,
    on_progress: OnProgress = silent,
    *,
    on_note: OnNote = lambda _: None,
    on_evaluation: OnEvaluation = lambda *_: None,
    clock: Clock = time.perf_counter,
    fabric: Fabric | None = None,
    digests: Sequence[str] | None = None,
) -> Trained:
    """Train what the card describes and return its best epoch.

    Checkpoints lie in ``folder``; where it holds one of the same card and events, training goes on
    from there, bit by bit as if it had not stopped (on a CPU, with the same number of threads), or
    on another number or kind of devices, where random numbers and rounding are others.

    Of several processes all call this; the first one evaluates, and writes alone.

    Args:
        card: the run card.
        train: events to learn from, in memory or as a stream.
        selection: events to choose the epoch by; no event should be in both.
        folder: where the checkpoint, ``metrics.csv`` and ``training.log`` are written.
        score: what the epoch is chosen by.
        on_progress: called after every step with (``training``, step, steps).
        on_note: called with how a budget is planned, with the step that training goes on from, and
            where it diverged.
        on_evaluation: called after every evaluation, whose checkpoint is written by then; an
            exception that it raises ends the training.
        clock: returns seconds; a budget is planned by it.
        fabric: as launched for the card; None where this is left to the function.
        digests: :func:`fingerprint` of both samples, where the caller has them.

    Raises:
        TrainingStoppedError: a signal asked for it; there is a checkpoint to go on from.
        EventsError: a sample is one that nothing can be learned from
            (:func:`simulacra.training.degenerate.check_sample`).
        CardError: a batch is too small for the network.
        SimulatorError: the checkpoint in ``folder`` is of another card or of other events; or the
            training diverged again and again.
    """
    check_sample(sample_of(train), "training")
    check_sample(selection, "selection")
    fabric = fabric or launch(card)
    on_note, on_progress, on_evaluation = (
        only_first(fabric, call) for call in (on_note, on_progress, on_evaluation)
    )
    clock = common_clock(fabric, clock)
    identity = _identity(card, digests or [fingerprint(train), fingerprint(selection)])
    fitting = _Fit(card, train, selection, folder, score, on_note, clock, fabric, identity)
    with noted_signals() as stop:
        return fitting.run(on_progress, on_evaluation, stop)


def launch(card: Card) -> Fabric:
    """Return Fabric as a card asks for it; see :func:`simulacra.training.compute.launched`."""
    return launched(card.training, grows=issubclass(find_model(card.model_kind), Growing))


class Run(Protocol):
    """What both loops offer: a state that advances, is saved and restored."""

    step: int
    rate_factor: float
    """Multiplies all learning rates."""

    def advance(self) -> dict[str, Tensor]:
        """Make one step and return the value of every loss term."""

    def averaged(self) -> dict[str, Tensor]:
        """Return the weights by which the network is judged: averages over the last steps."""

    def state(self) -> dict[str, Tensor]:
        """Return everything that the run's future depends on, as named tensors."""

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from :meth:`state`, bit by bit as if never interrupted (on a CPU)."""


def events_of_a_step(card: TrainingCard) -> int:
    """Return how many training events a step sees."""
    return card.batch_size * (card.critic_updates if isinstance(card, AdversarialCard) else 1)


def start(
    surrogate: Surrogate,
    batches: Batches,
    card: TrainingCard,
    seed: int,
    fabric: Fabric | None = None,
) -> Run:
    """Return the run at its first step, by the loop that the card names.

    Args:
        surrogate: holds the network and the transform.
        batches: training events.
        card: how to train.
        seed: of batches and of all noise.
        fabric: as launched for the card; None where this is left to the function.

    Raises:
        CardError: a batch is too small for the network.
        SimulacraError: a batch is too large for the memory.
    """
    fabric = fabric or launched(card)
    alone = own_share(card.batch_size, fabric) == 1
    if alone and any(isinstance(m, nn.BatchNorm1d) for m in surrogate.modules()):
        each = "" if fabric.world_size == 1 else ", in each process"
        msg = f"training.batch_size: batch normalisation needs at least 2 events in a batch{each}"
        raise CardError(msg)
    at_once = events_of_a_step(card)
    numbers = math.prod(batches.shape) + surrogate.encoder.features
    require_room(4 * at_once * numbers, f"training.batch_size: a step of {at_once} events")
    if isinstance(card, AdversarialCard):
        return AdversarialRun(surrogate, batches, card, seed, fabric)
    return LikelihoodRun(surrogate, batches, card, seed, fabric)


class _Fit:
    """One call of :func:`fit`: what it builds once and then carries through the steps."""

    def __init__(
        self,
        card: Card,
        train: Training,
        selection: Events,
        folder: Path,
        score: ScoreOf,
        on_note: OnNote,
        clock: Clock,
        fabric: Fabric,
        identity: str,
    ) -> None:
        self.card = card
        self.identity = identity
        self.folder = folder
        self.clock = clock
        self.fabric = fabric
        self._on_note = on_note
        init, loop, evaluation, halves = np.random.SeedSequence(card.seed).generate_state(4)
        entry = find_model(card.model_kind)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(init))
            self.surrogate = Surrogate(entry, card.model, train.detector)
        self.n_events = len(train)
        batches = _batches(self.surrogate, train, int(loop)).to(fabric)
        self.answering = copy.deepcopy(self.surrogate).to(fabric.device).eval()
        """What is judged: it holds the averaged weights, training goes on in the other."""
        self.score = score(selection, card.selection.groups, card.selection.measure)
        generated = card.selection.repeat * len(selection)
        size = 4 * generated * numbers_of(train.detector)
        require_room(size, f"selection.repeat: {generated} events")
        repeated = Conditions.concatenate([selection.conditions] * card.selection.repeat)
        self.conditions = repeated
        self.floor = self.score.floor(card.selection.repeat, np.random.default_rng(halves))
        self.evaluation_seed = int(evaluation)
        self.losses: dict[str, list[Tensor]] = {}
        """The loss terms since the last evaluation, on their device."""
        self.history: list[Row] = []
        self.best: dict[str, Tensor] = {}
        self.best_row: Row = {}
        self.spent = np.zeros(2)
        self.restarts = 0
        saved = self._saved()
        self.plan = self._planned(batches, int(loop), saved and saved[1])
        if self.plan is not None:
            self.card = self.plan.applied(card)
        self.run_state = start(self.surrogate, batches, self.card.training, int(loop), fabric)
        self._initial: dict[str, Tensor] = {}
        """The state to go on from where a training diverges before its first checkpoint."""
        if saved is not None:
            self._restore(*saved)
        else:
            self._initial = {k: v.detach().clone() for k, v in self.run_state.state().items()}

    def _planned(self, batches: Batches, seed: int, saved: Mapping[str, Any] | None) -> Plan | None:
        """Return how a budget is spent: as the checkpoint has it, or as measured now."""
        training = self.card.training
        if training.minutes is None:
            return None
        if saved is not None:
            return Plan(**saved["plan"])
        began, trials = self._now(), dict[int, Run]()

        def time_of(batch: int, minutes: float) -> float:
            network = copy.deepcopy(self.surrogate)
            options = trial_of(training).model_copy(update={"batch_size": batch})
            trials[batch] = start(network, batches, options, seed, self.fabric)
            grows = isinstance(network.network, Growing)
            return seconds_of_a_step(trials[batch], minutes, self._now, grows=grows)

        size, minutes = training.batch_size, training.minutes
        if training.plan_batch:
            batch, step = planned_batch(
                size, self.n_events, 60 * minutes, lambda b: time_of(b, minutes / SIZES)
            )
        else:
            batch, step = size, time_of(size, minutes)
        before = self._now()
        self._judged(trials[batch].averaged())
        now = self._now()
        every = self.card.selection.every
        plan = Plan.of(minutes, every, step, now - before, spent=now - began)
        if batch != size:
            plan = replace(plan, batch_size=batch, rate=math.sqrt(batch / size))
        self._note(plan.note)
        return plan

    def _now(self) -> float:
        """Return the time when the device has done what it was given."""
        wait_for(self.fabric.device)
        return self.clock()

    def _note(self, text: str) -> None:
        self._on_note(text)
        if self.fabric.is_global_zero:
            write_line(self.folder, text)

    def run(self, on_progress: OnProgress, on_evaluation: OnEvaluation, stop: Stop) -> Trained:
        """Train to the last step and return the best epoch."""
        self.started = _clocks() - self.spent
        while not self._came_through(on_progress, on_evaluation, stop):
            pass
        self.best, self.best_row = self.fabric.broadcast((self.best, self.best_row))
        with torch.no_grad():
            self.surrogate.to("cpu").load_state_dict(self.best)
        best = self.best_row
        return Trained(
            self.surrogate,
            int(best["step"]),
            best["score"],
            best["floor"],
            tuple(self.history),
            self.card,
            self.plan,
        )

    def _came_through(
        self, on_progress: OnProgress, on_evaluation: OnEvaluation, stop: Stop
    ) -> bool:
        """Train, and return whether the last step was reached."""
        try:
            self._train(on_progress, on_evaluation, stop)
        except DivergedError as error:
            self._recover(error)
            return False
        return True

    def _recover(self, error: DivergedError) -> None:
        """Go back to the last good state, with lower learning rates.

        Raises:
            SimulatorError: that was done too often.
        """
        if self.restarts == RESTARTS:
            raise given_up(error) from None
        self.restarts += 1
        saved = self._saved()
        self.run_state.restore(below_prefix("run", saved[0]) if saved else self._initial)
        self.losses = self._losses_of(saved[0]) if saved else {}
        self.run_state.rate_factor = rate_after(self.restarts)
        self._note(
            f"{error}: it goes on from step {self.run_state.step} with "
            f"{self.run_state.rate_factor:g} of its learning rate, restart {self.restarts} of "
            f"{RESTARTS}"
        )
        if saved:
            self._save()

    def _train(self, on_progress: OnProgress, on_evaluation: OnEvaluation, stop: Stop) -> None:
        """Make the steps that are left.

        Raises:
            DivergedError: a loss or a score shows it.
            TrainingStoppedError: a signal asked for it.
        """
        state, every = self.run_state, self.card.selection.every
        steps = steps_of(self.card.training)
        apart = 60 * self.card.training.checkpoint_minutes
        on_progress(PHASE, state.step, steps)
        first, since = state.step, self.clock()
        saved = wall_clock()
        while state.step < steps:
            for name, value in state.advance().items():
                self.losses.setdefault(name, []).append(value)
            if state.step % every == 0 or state.step == steps:
                self.spent = _clocks() - self.started
                trained = (state.step - first) * events_of_a_step(self.card.training)
                speed = trained / max(self.clock() - since, 1e-9)
                self._evaluate(self._mean_losses(), speed)
                on_evaluation(self.history[-1], self.best_row)
                first, since, saved = state.step, self.clock(), wall_clock()
            elif wall_clock() - saved > apart:
                self._save_between()
                saved = wall_clock()
            on_progress(PHASE, state.step, steps)
            if state.step < steps and stop.asked(self.fabric, state.step):
                self._save_between()
                self.fabric.barrier()
                raise TrainingStoppedError(self._stopped(stop.signal))

    def _save_between(self) -> None:
        """Write a checkpoint between evaluations, unless the training has diverged by now.

        The checkpoint that is there is what a training that diverged goes back to.
        """
        self.spent = _clocks() - self.started
        if all(bool(torch.isfinite(torch.stack(v)).all()) for v in self.losses.values()):
            self._save()

    def _mean_losses(self) -> dict[str, float]:
        """Return the mean of every loss term since the last evaluation, over all processes."""
        means = {k: torch.stack(v).mean() for k, v in self.losses.items()}
        if self.fabric.world_size > 1:
            reduced = self.fabric.all_reduce(means, reduce_op="mean")
            means = cast("dict[str, Tensor]", reduced)
        return {k: float(v) for k, v in means.items()}

    def _stopped(self, signal: str) -> str:
        """Return why and where training stopped, in words."""
        step, steps = self.run_state.step, steps_of(self.card.training)
        reason = signal or "a signal to another process"
        text = f"{reason}: stopped at step {step} of {steps}; the same command goes on from there"
        if self.fabric.is_global_zero:
            write_line(self.folder, text)
        return text

    def _judged(self, averaged: Mapping[str, Tensor]) -> Row:
        """Return the score of averaged weights, and other numbers that are worth a column."""
        self.answering.network.load_state_dict(averaged)
        response = self.answering.generate(self.conditions, self.evaluation_seed)
        return self.score.row(Events(self.conditions, response, self.surrogate.detector))

    def _evaluate(self, losses: dict[str, float], speed: float) -> None:
        """Judge the averaged network in the first process, and tell the others.

        Raises:
            DivergedError: a loss or the score shows it, in all processes.
        """
        self.losses.clear()
        require_finite(losses, self.run_state.step)
        problem = None
        if self.fabric.is_global_zero:
            problem = self._recorded(losses, speed)
        problem = self.fabric.broadcast(problem)
        if problem is not None:
            raise DivergedError(problem)
        if not self.fabric.is_global_zero:
            self.history.append({"step": self.run_state.step, **losses})

    def _recorded(self, losses: dict[str, float], speed: float) -> str | None:
        """Record an evaluation and save a checkpoint, or return how the score shows divergence."""
        scored = self._judged(self.run_state.averaged())
        problem = explosion(scored["score"], self.history, self.run_state.step)
        if problem is not None:
            return problem
        weights = {k: v.detach().clone() for k, v in self.answering.state_dict().items()}
        wall, cpu = self.spent.tolist()
        times = {"seconds": wall, "cpu_seconds": cpu, "events_per_second": speed}
        score = scored.pop("score")
        row: Row = {"step": self.run_state.step, **times, "score": score, "floor": self.floor}
        row |= losses | scored
        self.history.append(row)
        after = self.card.selection.after or 0.0
        eligible = self.run_state.step >= after * steps_of(self.card.training)
        if eligible and (not self.best_row or is_better(score, self.best_row["score"])):
            self.best, self.best_row = weights, row
        self._save()
        place = f"step {self.run_state.step} of {steps_of(self.card.training)}"
        write_line(self.folder, f"{place}: {described(row, self.best_row)}")
        return None

    def _save(self) -> None:
        """Write a checkpoint in the first process, whose state is that of all."""
        if not self.fabric.is_global_zero:
            return
        tensors = {
            **with_prefix("run", self.run_state.state()),
            **with_prefix("best", self.best),
            **with_prefix("losses", {k: torch.stack(v) for k, v in self.losses.items()}),
        }
        facts = {
            "identity": self.identity,
            "history": self.history,
            "best": self.best_row,
            "seconds": self.spent.tolist(),
            "plan": None if self.plan is None else asdict(self.plan),
            "restarts": self.restarts,
        }
        write_tensors(self.folder / CHECKPOINT, tensors, facts)
        write_metrics(self.history, self.folder / METRICS)
        self._initial.clear()

    def _saved(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return what the checkpoint holds, as the first process reads it; None without one."""
        found = self._read_checkpoint() if self.fabric.is_global_zero else None
        return self.fabric.broadcast(found)

    def _read_checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        path = self.folder / CHECKPOINT
        if not path.is_file():
            return None
        tensors, facts = read_tensors(path)
        if facts.get("identity") != self.identity:
            msg = (
                f"{path} is a checkpoint of another card or of other events; "
                f"remove {self.folder} or choose another output"
            )
            raise SimulatorError(msg)
        return tensors, facts

    def _losses_of(self, tensors: dict[str, Tensor]) -> dict[str, list[Tensor]]:
        """Return the loss terms since the last evaluation from those of a checkpoint."""
        losses = below_prefix("losses", tensors)
        return {k: list(v.to(self.fabric.device).unbind()) for k, v in losses.items()}

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.run_state.restore(below_prefix("run", tensors))
        device = self.fabric.device
        self.best = {k: v.to(device) for k, v in below_prefix("best", tensors).items()}
        self.losses = self._losses_of(tensors)
        self.history, self.best_row = facts["history"], facts["best"]
        self.spent = np.array(facts["seconds"])
        self.restarts = facts.get("restarts", 0)
        self.run_state.rate_factor = rate_after(self.restarts)
        step, steps = self.run_state.step, steps_of(self.card.training)
        self._note(f"training goes on from step {step} of {steps}")


def is_better(score: float, best: float) -> bool:
    """Return whether an epoch's score is lower than the best so far; broken numbers never are."""
    return score < best or (math.isnan(best) and not math.isnan(score))


def _clocks() -> NDArray[np.float64]:
    """Return wall and CPU time of this process in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def write_metrics(history: list[Row], path: Path) -> None:
    """Write the evaluations as CSV, one row each."""
    names = list(dict.fromkeys(name for row in history for name in row))
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" for k, v in row.items()} for row in history)


def read_metrics(path: Path) -> tuple[Row, ...]:
    """Return the evaluations that :func:`write_metrics` wrote, to the digits that it keeps.

    Raises:
        SimulatorError: the file is damaged.
    """
    lines = read_text(path, SimulatorError).splitlines()
    try:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(lines)]
    except (TypeError, ValueError, csv.Error) as error:
        msg = f"{path}: damaged: {error}"
        raise SimulatorError(msg) from None
    return tuple(rows)


def _identity(card: Card, digests: Sequence[str]) -> str:
    """Return a digest of all that a run's course depends on: the card and both samples."""
    return hashlib.sha256("".join([card.course, *digests]).encode()).hexdigest()


def _batches(surrogate: Surrogate, train: Training, seed: int) -> Batches:
    """Fit the preprocessing, and return batches of training events."""
    if isinstance(train, Stream):
        return streamed(surrogate, train, seed)
    return InMemory(*surrogate.fit(train), surrogate.transform)


def fingerprint(events: Training) -> str:
    """Return the SHA-256 of a sample: detector, conditions and response."""
    if isinstance(events, Stream):
        return events.sha256
    digest = hashlib.sha256(events.detector.fingerprint.encode())
    arrays: dict[str, Any] = {**events.conditions.columns, **events.response}
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
