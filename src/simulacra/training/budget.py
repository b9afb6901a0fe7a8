"""A training that is given minutes: its steps are planned from the time of a step, measured here.

Where the card gives no batch, that is planned, too. A batch that takes next to no more time is free
of charge; where a budget has few steps, smaller batches make more of them. The learning rates go
with the square root of the batch, as those of adaptive optimisers do.

The plan is made once. The schedules of the learning rate fit its steps, a checkpoint keeps it, and
a resumed run goes on with it.

References:
    Malladi et al.: On the SDEs and scaling rules for adaptive gradient algorithms,
    arXiv:2205.10287.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from torch import Tensor

from simulacra.errors import CardError
from simulacra.training.card import Card, TrainingCard

MOST_EVALUATION = 0.25
"""Part of a budget that evaluations may take."""
EVALUATIONS = 10
"""Evaluations that a budget has at least, where they do not take more than that part."""
MOST_MEASURING = 0.05
"""Part of a budget in which the time of a step is measured, where it has enough steps for that."""
LONGEST_MEASURING = 10.0
"""Seconds after which no further step is measured."""
FEWEST_STEPS = 3
"""Steps that are measured at each stage of a network."""
STAGES = (0.0, 0.25, 0.5, 0.75, 0.99)
"""Parts of the training at which a network that grows is measured."""
TRIAL_STEPS = 1000
AT_REST = 1e-20
"""Learning rate at which no weight changes: a trial cannot diverge."""

FEW_STEPS = 1000
"""Steps of a budget below which smaller batches are measured."""
CHEAPER = 0.75
"""Part of the time of a step that one with half the batch takes at most, to be worth it."""
FREE = 1.15
"""Part of the time of a step that one with twice the batch takes at most, to be free of charge."""
LARGEST_CHANGE = 4
"""Factor by which a planned batch is smaller or larger than the recommended one, at most."""
SMALLEST_BATCH = 32
SIZES = 3
"""Sizes of batches that are measured at most, among which the time to measure is divided."""

Clock = Callable[[], float]


class Advancing(Protocol):
    """A training run as a measurement sees it."""

    step: int

    def advance(self) -> dict[str, Tensor]:
        """Make one step."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a budget is spent on.

    Attributes:
        minutes: the budget.
        steps: of the training.
        every: steps between evaluations.
        step_seconds: measured time of a step.
        evaluation_seconds: measured time of an evaluation.
        batch_size: events in a batch, where that was planned.
        rate: factor on the learning rates that goes with it.
    """

    minutes: float
    steps: int
    every: int
    step_seconds: float
    evaluation_seconds: float
    batch_size: int | None = None
    rate: float = 1.0

    @classmethod
    def of(
        cls,
        minutes: float,
        every: int,
        step_seconds: float,
        evaluation_seconds: float,
        spent: float = 0.0,
    ) -> Self:
        """Return the plan for a budget.

        Evaluations are ``every`` steps apart, or as near as it takes for ten of them; but all of
        them take no more than a quarter of the time, unless it is a single one.

        Args:
            minutes: the budget.
            every: largest number of steps between evaluations.
            step_seconds: time of a step.
            evaluation_seconds: time of an evaluation.
            spent: seconds of the budget that the measurement took.

        Raises:
            CardError: the budget is too short for a step and an evaluation.
        """
        seconds = 60 * minutes - spent
        at_most = seconds / step_seconds
        wanted = math.ceil(at_most / min(every, math.ceil(max(at_most, 1) / EVALUATIONS)))
        affordable = int(MOST_EVALUATION * seconds / evaluation_seconds)
        evaluations = max(min(wanted, affordable), 1)
        steps = int((seconds - evaluations * evaluation_seconds) / step_seconds)
        if steps < 1:
            needed = (spent + step_seconds + evaluation_seconds) / 60
            msg = (
                f"training.minutes: {minutes:g} minutes are too few, a step and an evaluation "
                f"take {needed:.2g} with what it takes to measure them"
            )
            raise CardError(msg)
        return cls(minutes, steps, math.ceil(steps / evaluations), step_seconds, evaluation_seconds)

    def applied(self, card: Card) -> Card:
        """Return a card with the planned steps, and batches, in the place of the budget."""
        planned: dict[str, Any] = {"steps": self.steps, "minutes": None, "plan_batch": False}
        if self.batch_size is not None:
            planned |= {"batch_size": self.batch_size, **_rates(card.training, self.rate)}
        training = card.training.model_copy(update=planned)
        selection = card.selection.model_copy(update={"every": self.every})
        return card.model_copy(update={"training": training, "selection": selection})

    @property
    def note(self) -> str:
        """The plan in words."""
        batch = "" if self.batch_size is None else f" with batches of {self.batch_size}"
        step = f"{1000 * self.step_seconds:.3g} ms{batch}"
        return (
            f"{self.minutes:g} minutes are {self.steps} steps of {step} and an evaluation of "
            f"{self.evaluation_seconds:.2g} s every {self.every} steps, as measured on this machine"
        )


def trial_of(card: TrainingCard) -> TrainingCard:
    """Return the options of a trial run, which takes as long as the training and learns nothing."""
    rest = dict.fromkeys(_rates(card), AT_REST)
    return card.model_copy(update={"steps": TRIAL_STEPS, "minutes": None, **rest})


def _rates(card: TrainingCard, factor: float = 1.0) -> dict[str, float]:
    """Return the learning rates that a card gives, times a factor."""
    names = ("learning_rate", "critic_learning_rate")
    given = {name: getattr(card, name, None) for name in names}
    return {name: rate * factor for name, rate in given.items() if rate is not None}


def planned_batch(
    batch: int, events: int, seconds: float, time_of: Callable[[int], float]
) -> tuple[int, float]:
    """Return the size of batches for a budget, and the time of a step with it, s.

    Args:
        batch: the recommended size.
        events: number of training events.
        seconds: the budget.
        time_of: measures the time of a step with batches of a size, s.
    """
    time = time_of(batch)
    chosen = batch
    if seconds / time < FEW_STEPS:
        while chosen // 2 >= max(SMALLEST_BATCH, batch // LARGEST_CHANGE):
            smaller = time_of(chosen // 2)
            if smaller > CHEAPER * time:
                break
            chosen, time = chosen // 2, smaller
            if seconds / time >= FEW_STEPS:
                break
        return chosen, time
    first = time
    while 2 * chosen <= min(LARGEST_CHANGE * batch, events // 2):
        larger = time_of(2 * chosen)
        if larger > FREE * first:
            break
        chosen, time = 2 * chosen, larger
    return chosen, time


def seconds_of_a_step(run: Advancing, minutes: float, clock: Clock, *, grows: bool) -> float:
    """Return the mean time of a step of a trial run, s.

    Args:
        run: the trial.
        minutes: the budget, of which a small part is spent here.
        clock: returns the time in seconds.
        grows: whether steps take longer in the course of the training.
    """
    stages = STAGES if grows else STAGES[2:3]
    limit = min(MOST_MEASURING * 60 * minutes, LONGEST_MEASURING) / len(stages)
    means = []
    for stage in stages:
        run.step = int(stage * TRIAL_STEPS)
        run.advance()  # the first step pays for what is only set up once
        start, steps = clock(), 0
        while steps < FEWEST_STEPS or clock() - start < limit:
            run.advance()
            steps += 1
        means.append((clock() - start) / steps)
    return sum(means) / len(means)
