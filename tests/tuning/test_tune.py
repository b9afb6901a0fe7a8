"""A search: its trials, what it writes, and what becomes of it when it is killed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simulacra.errors import SimulacraError
from simulacra.training.card import Card
from simulacra.tuning import TuneCard, tune
from simulacra.tuning.result import Confirmation, TrialResult, Tuning
from simulacra.tuning.study import (
    OWN,
    REASON,
    RETRIES,
    WORK,
    WORKER,
    attending,
    clear,
    finished,
    next_trial,
    open_study,
    revive,
)
from simulacra.tuning.trial import Bench

pytest.importorskip("optuna")
pytestmark = pytest.mark.slow
SPACE = {"training.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}, "model.latent": [4, 8]}


@pytest.fixture
def tune_card(small_card):
    """A function that makes the card of a search with a tiny GAN."""

    def make(steps=4, **section):
        content = yaml.safe_load(small_card(steps=steps).to_yaml())
        text = yaml.safe_dump({**content, "tune": {"space": SPACE, **section}})
        return TuneCard.parse(text, "card.yaml")

    return make


def test_a_search_writes_a_card_that_trains_as_it_is(tune_card, tmp_path):
    notes, trials = [], []
    card = tune_card(trials=7, seeds=2, confirm=2)
    folder = tmp_path / "study"
    tuning = tune(card, folder, on_note=notes.append, on_trial=trials.append)
    assert [trial.number for trial in trials] == list(range(7))
    assert trials[0].own
    assert trials[0].values == {"training.learning_rate": 3e-4, "model.latent": 8}
    assert all(len(t.scores) == 2 for t in tuning.complete)
    assert tuning.best.score == min(t.score for t in tuning.complete)
    best = Card.load(folder / "best.yaml")
    assert best.training.learning_rate == tuning.best.values["training.learning_rate"]
    assert best.seed == card.card.seed
    assert notes[0].startswith("each trial is trained with seed 5, 6")
    if not tuning.best.own:
        assert tuning.confirmation.seeds == (7, 8)
    written = {path.name for path in folder.iterdir()} - {"locks", "importance.png"}
    assert written == {"best.yaml", "history.png", "journal.log", "study.yaml", "trials.md"}
    table = (folder / "trials.md").read_text()
    assert table.count("\n| ") >= 8
    again = tune(card, folder, on_trial=pytest.fail)  # nothing is left to do
    assert again.table() == table
    with pytest.raises(SimulacraError, match="study of another card"):
        tune(tune_card(steps=6), folder)


def test_score_and_time_have_a_front(tune_card, tmp_path):
    notes = []
    card = tune_card(steps=2, trials=3, objectives=["score", "time"])
    tuning = tune(card, tmp_path / "study", on_note=notes.append)
    assert any("no trial is stopped early" in note for note in notes)
    assert tuning.confirmation is None
    assert all(trial.time > 0 for trial in tuning.complete)
    assert (tmp_path / "study" / "front.png").is_file()
    for trial in tuning.front:
        Card.load(tmp_path / "study" / f"front-{trial.number}.yaml")


def test_the_front_holds_what_no_trial_beats(tune_card):
    made = [
        TrialResult(i, {}, score, False, time=time)
        for i, (score, time) in enumerate([(1.0, 3.0), (2.0, 1.0), (2.5, 2.0), (0.5, 4.0)])
    ]
    assert [t.number for t in Tuning(tune_card(), tuple(made), 0.1).front] == [1, 0, 3]


def test_the_confirmation_states_what_it_shows():
    better = Confirmation((1, 2, 3), (1.0, 1.1, 0.9), (0.5, 0.62, 0.4))
    assert better.gain == pytest.approx(0.4933, abs=1e-4)
    assert better.verdict.startswith("the best card is better")
    unclear = Confirmation((1, 2), (1.0, 1.1), (0.5, 1.05))
    assert unclear.verdict.startswith("the best card is not shown to be better")
    assert Confirmation((1,), (1.0,), (0.5,)).error == float("inf")


def test_values_that_do_not_go_together_are_a_failed_trial(tune_card, tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        msg = "training.batch_size: too small"
        raise SimulacraError(msg)

    monkeypatch.setattr(Bench, "train", refuse)
    with pytest.raises(SimulacraError, match=r"none of 2 trials .* training.batch_size: too small"):
        tune(tune_card(trials=2), tmp_path / "study")


def test_trials_of_dead_processes_are_tried_again(tune_card, tmp_path):
    bench = Bench(tune_card(trials=2), tmp_path)
    study = open_study(tmp_path, bench.card, "search", "x")
    for _ in range(3):
        with attending(tmp_path) as name:
            trial = next_trial(tmp_path, study, 1, name)
            values = trial.suggest_categorical("model.latent", [4, 8])
            assert revive(tmp_path, study) == ()  # it is alive
        assert revive(tmp_path, study) == (trial.number,)
    last = study.get_trials()[-1]
    assert (last.user_attrs[RETRIES], last.params["model.latent"]) == (2, values)
    assert WORKER in last.user_attrs
    assert OWN not in last.user_attrs
    assert last.user_attrs[REASON] == "its process died, 3 times"
    assert len(finished(study)) == 1


def test_only_what_dead_processes_left_is_removed(tmp_path):
    with attending(tmp_path) as name:
        for worker in (name, "0123"):
            (tmp_path / WORK / worker).mkdir(parents=True)
        clear(tmp_path)
        assert [path.name for path in (tmp_path / WORK).iterdir()] == [name]
    clear(tmp_path)
    assert not (tmp_path / WORK).exists()


class DyingEngine:
    """Starts workers as an engine does, elsewhere; the first one leaves a trial that runs."""

    def __init__(self):
        self.runs = []

    def run(self, parts, numbers):
        self.runs.append(list(numbers))
        if len(self.runs) == 1:
            said = json.loads((parts.folder / "task.json").read_text())["arguments"]
            folder = Path(said["study"])
            bench = Bench(TuneCard.load(folder / "study.yaml"), folder)
            study = open_study(folder, bench.card, said["stage"], bench.identity)
            next_trial(folder, study, said["wanted"], "gone")
        listed = ",".join(map(str, numbers))
        command = [sys.executable, "-m", "simulacra.engines.worker", str(parts.folder), listed]
        subprocess.run(command, check=True, cwd="/")
        yield from numbers


def test_an_engine_has_the_workers(tune_card, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = DyingEngine()
    tuning = tune(tune_card(trials=3, confirm=0), "study", workers=2, engine=engine)
    assert len(engine.runs[0]) == 2
    assert len(tuning.trials) == 3
    assert not list(tmp_path.glob("study/*.parts"))


def test_a_killed_search_with_two_processes_goes_on(tune_card, tmp_path):
    card, folder = tune_card(trials=4, confirm=0, prune=False), tmp_path / "study"
    (tmp_path / "card.yaml").write_text(card.to_yaml())
    arguments = ["tune", str(tmp_path / "card.yaml"), "-o", str(folder), "--workers", "2"]
    command = [sys.executable, "-m", "simulacra", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("trial "):
                break
        process.kill()
    trials = []
    tuning = tune(card, folder, on_trial=trials.append)
    assert len(trials) < 4  # none, where the processes came through before they saw the end
    assert len(tuning.complete) == 4
