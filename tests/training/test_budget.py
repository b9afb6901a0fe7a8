"""A training of so many minutes: planned once, by the time of a step on this machine."""

from functools import partial

import numpy as np
import pytest

from simulacra.errors import CardError
from simulacra.io import read_events
from simulacra.observables.selection_score import EpochSelection
from simulacra.simulators import trained
from simulacra.simulators.trained import TrainedSimulator, train
from simulacra.training import fit
from simulacra.training.budget import (
    FEWEST_STEPS,
    STAGES,
    Plan,
    planned_batch,
    seconds_of_a_step,
)
from simulacra.training.card import Card


class Clock:
    """A clock that goes on by so many seconds whenever it is read."""

    def __init__(self, tick=0.0):
        self.now, self.tick = 0.0, tick

    def __call__(self):
        self.now += self.tick
        return self.now


class Run:
    """A training whose step takes so long, depending on the step."""

    def __init__(self, clock, seconds):
        self.step, self._clock, self._seconds = 0, clock, seconds
        self.advanced = 0

    def advance(self):
        self._clock.now += self._seconds(self.step)
        self.step += 1
        self.advanced += 1


def test_a_plan_fills_its_budget():
    for step, evaluation in ((0.03, 2.0), (1e-3, 5.0), (2.5, 40.0), (0.03, 100.0)):
        plan = Plan.of(10.0, 500, step, evaluation, spent=7.0)
        evaluations = -(-plan.steps // plan.every)
        needed = 7.0 + plan.steps * step + evaluations * evaluation
        assert 600 - step - evaluation <= needed <= 600
        assert plan.every <= 500 or (evaluations + 1) * evaluation > 0.24 * 600
        assert evaluations == 1 or evaluations * evaluation <= 0.25 * 600


def test_a_plan_that_has_time_evaluates_as_often_as_asked_and_at_least_ten_times():
    assert Plan.of(10.0, 500, 0.03, 0.1).every <= 500
    short = Plan.of(1.0, 500, 0.03, 0.1)
    assert -(-short.steps // short.every) == 10


def test_a_budget_that_is_too_short_says_what_is_needed():
    with pytest.raises(CardError, match=r"training.minutes: 0.1 minutes are too few, .* take 0.83"):
        Plan.of(0.1, 500, 10.0, 40.0)


@pytest.mark.parametrize(
    ("seconds", "time_of", "planned"),
    [
        (1000.0, lambda _: 0.1, 256),  # a larger batch costs nothing: up to four times
        (1000.0, lambda n: 0.1 if n <= 128 else 0.2, 128),
        (1000.0, lambda n: 0.001 * n, 64),
        (30.0, lambda n: 0.001 * n, 32),  # few steps: smaller, but not below 32
        (50.0, lambda n: 0.1 + 0.0001 * n, 64),  # which make no step faster
    ],
)
def test_the_batch_is_what_is_free_or_what_makes_steps(seconds, time_of, planned):
    assert planned_batch(64, 10_000, seconds, time_of) == (planned, time_of(planned))
    assert planned_batch(64, 130, 1000.0, lambda _: 0.1)[0] == 64  # more than half of the events


def test_a_planned_batch_has_its_learning_rates():
    content = {
        "detector": "atlas-barrel",
        "data": "a.h5",
        "model": {"kind": "dnncalogan"},
        "training": {"minutes": 1, "critic_learning_rate": 1e-3},
    }
    card = Card.model_validate(content)
    assert card.training.plan_batch
    rate, batch = card.training.learning_rate, card.training.batch_size
    plan = Plan(1.0, 500, 50, 0.1, 0.1, batch_size=2 * batch, rate=2**0.5)
    made = plan.applied(card).training
    assert (made.batch_size, made.steps, made.plan_batch) == (2 * batch, 500, False)
    assert made.learning_rate == pytest.approx(2**0.5 * rate)
    assert made.critic_learning_rate == pytest.approx(2**0.5 * 1e-3)
    assert Plan(1.0, 500, 50, 0.1, 0.1).applied(card).training.batch_size == batch
    assert "with batches of" in plan.note
    given = {**content, "training": {"minutes": 1, "batch_size": 64}}
    assert not Card.model_validate(given).training.plan_batch
    again = Card.parse(card.to_yaml(), "written")
    assert again == card
    with pytest.raises(ValueError, match="plan_batch needs minutes"):
        Card.model_validate({**content, "training": {"steps": 5, "plan_batch": True}})


def test_the_time_of_a_step_is_measured_where_the_network_is_growing():
    clock = Clock()
    constant = Run(clock, lambda _: 2.0)
    assert seconds_of_a_step(constant, 1.0, clock, grows=False) == pytest.approx(2.0)
    assert constant.advanced == 1 + FEWEST_STEPS
    growing = Run(clock, lambda step: step / 1000)
    found = seconds_of_a_step(growing, 0.001, clock, grows=True)
    assert found == pytest.approx(np.mean(STAGES), rel=0.02)


def with_budget(card, minutes):
    content = card.model_dump(mode="json")
    del content["training"]["steps"]
    content["training"]["minutes"] = minutes
    return Card.model_validate(content)


def _fit(card, folder, clock, stop_at=None, notes=None):
    train, selection = (read_events(path) for path in (*card.data.train, *card.data.selection))

    def on_progress(phase, step, steps):
        if step == stop_at:
            raise KeyboardInterrupt

    notes = [] if notes is None else notes
    callbacks = {"on_note": notes.append, "clock": clock}
    return fit(card, train, selection, folder, EpochSelection, on_progress, **callbacks)


def test_a_budget_is_the_training_of_as_many_steps(small_card, tmp_path):
    """The measurement leaves no trace in the weights; the schedule is that of the planned steps."""
    card = with_budget(small_card(), 0.25)
    planned = _fit(card, tmp_path / "budget", Clock(tick=1.0))
    assert planned.card.training.minutes is None
    assert planned.plan.steps == planned.card.training.steps == planned.history[-1]["step"]
    same = _fit(planned.card, tmp_path / "steps", Clock())
    for name, value in planned.surrogate.state_dict().items():
        assert np.array_equal(value.numpy(), same.surrogate.state_dict()[name].numpy())


def test_a_resumed_run_keeps_its_plan(small_card, tmp_path):
    card = with_budget(small_card(), 0.25)
    whole = _fit(card, tmp_path / "whole", Clock(tick=1.0))
    every = whole.plan.every
    with pytest.raises(KeyboardInterrupt):
        _fit(card, tmp_path / "parts", Clock(tick=1.0), stop_at=every + 1)
    notes = []
    resumed = _fit(card, tmp_path / "parts", Clock(tick=0.1), notes=notes)  # a faster machine
    assert resumed.plan == whole.plan
    assert notes == [f"training goes on from step {every} of {whole.plan.steps}"]
    for name, value in whole.surrogate.state_dict().items():
        assert np.array_equal(value.numpy(), resumed.surrogate.state_dict()[name].numpy())


def test_the_simulator_says_what_became_of_its_budget(small_card, tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "fit", partial(fit, clock=Clock(tick=1.0)))
    notes, rows = [], []
    train(
        with_budget(small_card(), 0.25),
        tmp_path / "simulator",
        on_note=notes.append,
        on_evaluation=lambda row, best: rows.append((row, best)),
    )
    loaded = TrainedSimulator.load(tmp_path / "simulator")
    steps = loaded.card.training.steps
    assert loaded.history[-1]["step"] == steps == rows[-1][0]["step"]
    assert loaded.about["budget_minutes"] == 0.25
    assert any(f"0.25 minutes are {steps} steps of" in note for note in notes)
    log = (tmp_path / "simulator" / "training.log").read_text().splitlines()
    assert f"0.25 minutes are {steps} steps" in log[0]
    assert len(log) == 1 + len(rows)
    assert f"step {steps} of {steps}: loss: " in log[-1]
    assert "events/s" in log[-1]


def test_a_simulator_without_the_files_for_people_loads(small_card, tmp_path):
    train(small_card(steps=2), tmp_path / "simulator")
    assert (tmp_path / "simulator/learning-curve.png").read_bytes().startswith(b"\x89PNG")
    for name in ("training.log", "learning-curve.png"):
        (tmp_path / "simulator" / name).unlink()
    TrainedSimulator.load(tmp_path / "simulator").save(tmp_path / "copy")
    assert TrainedSimulator.load(tmp_path / "copy").history
