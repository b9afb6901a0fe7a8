"""A training that diverges goes on from its last good state, and says so."""

import pytest
import torch

from simulacra.errors import SimulatorError
from simulacra.io import read_events
from simulacra.observables.selection_score import EpochSelection
from simulacra.training import fit
from simulacra.training.adversarial import AdversarialRun
from simulacra.training.likelihood import LikelihoodRun
from simulacra.training.recovery import (
    RESTARTS,
    DivergedError,
    explosion,
    rate_after,
    require_finite,
)

pytestmark = pytest.mark.slow
INFINITE = torch.tensor(float("inf"))


def _fit(card, folder, notes=None, on_progress=lambda *_: None):
    train, selection = (read_events(path) for path in (*card.data.train, *card.data.selection))
    on_note = [].append if notes is None else notes.append
    return fit(card, train, selection, folder, EpochSelection, on_progress, on_note=on_note)


def _break_at(monkeypatch, loop, step, times):
    """Let the loss be infinite at a step, the first few times that it is reached."""
    advance, rates = loop.advance, []

    def broken(self):
        losses = advance(self)
        rates.append(self.rate_factor)
        if self.step == step and len(seen) < times:
            seen.append(step)
            return dict.fromkeys(losses, INFINITE)
        return losses

    seen = []
    monkeypatch.setattr(loop, "advance", broken)
    return rates


@pytest.mark.parametrize(
    ("kind", "loop"), [("dnncalogan", AdversarialRun), ("flow-matching", LikelihoodRun)]
)
def test_it_goes_on_from_the_last_good_state_with_a_lower_rate(
    small_card, tmp_path, monkeypatch, kind, loop
):
    rates = _break_at(monkeypatch, loop, step=5, times=1)
    notes = []
    trained = _fit(small_card(kind), tmp_path, notes)
    assert rates == [1.0] * 6 + [0.5, 0.5]  # steps 1 to 6, and 5 and 6 again
    assert [row["step"] for row in trained.history] == [2, 4, 6]
    (note,) = notes
    assert "diverged before step 6" in note
    assert "goes on from step 4 with 0.5 of its learning rate, restart 1 of 3" in note
    assert note in (tmp_path / "training.log").read_text()


def test_before_the_first_checkpoint_it_begins_anew(small_card, tmp_path, monkeypatch):
    _break_at(monkeypatch, LikelihoodRun, step=1, times=2)
    notes = []
    assert _fit(small_card("flow-matching"), tmp_path, notes).history[-1]["step"] == 6
    assert [note.split(": ")[1].split(",")[0] for note in notes] == [
        f"it goes on from step 0 with {rate} of its learning rate" for rate in (0.5, 0.25)
    ]


def test_a_killed_run_remembers_its_restarts(small_card, tmp_path, monkeypatch):
    _break_at(monkeypatch, LikelihoodRun, step=3, times=1)
    card = small_card("flow-matching")
    whole = _fit(card, tmp_path / "whole")
    _break_at(monkeypatch, LikelihoodRun, step=3, times=1)
    seen = []

    def stop(_phase, step, _steps):
        seen.append(step)
        if seen.count(3) == 2:  # once more after the restart
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _fit(card, tmp_path / "parts", on_progress=stop)
    resumed = _fit(card, tmp_path / "parts")
    for name, value in whole.surrogate.state_dict().items():
        assert torch.equal(value, resumed.surrogate.state_dict()[name])


def test_it_gives_up_after_some_restarts(small_card, tmp_path, monkeypatch):
    _break_at(monkeypatch, LikelihoodRun, step=3, times=RESTARTS + 1)
    with pytest.raises(SimulatorError, match=r"after 3 restarts with at last 0\.125 of its rate"):
        _fit(small_card("flow-matching"), tmp_path)


def test_what_counts_as_diverged():
    history = [{"score": 0.5}, {"score": 2.0}]
    require_finite({"loss": 1e30}, 3)
    assert explosion(15.0, history, 3) is None  # GANs do that
    assert explosion(1e9, [], 3) is None  # as may be at the beginning
    assert explosion(float("nan"), [{"score": float("nan")}], 3) is None
    with pytest.raises(DivergedError, match=r"step 3 \(loss inf\)"):
        require_finite({"loss": float("inf")}, 3)
    for score in (25.0, float("nan")):
        assert "0.5 was reached" in explosion(score, history, 3)
    assert rate_after(RESTARTS) == 0.125
