"""The whole way in one call, with a pretended Geant4 and with the real one."""

import sys
import time
from functools import partial

import pytest

from simulacra import cli
from simulacra.detectors import load_detector
from simulacra.errors import SimulacraError
from simulacra.files.yaml_text import parse_yaml
from simulacra.io import read_events
from simulacra.learning import Plan, PowerLaw, Request, curve, learn, run
from simulacra.learning.curve import SEEDS, trainings
from simulacra.learning.forecast import sentence
from simulacra.learning.kinds import default_model
from simulacra.learning.plan import CURVE, SIMULATING, TRAINING
from simulacra.learning.rate import measured_rate
from simulacra.models import find_model
from simulacra.simulators import trained
from simulacra.simulators.trained import TrainedSimulator
from simulacra.training import fit
from tests.conftest import SMALL_MODELS
from tests.fullsim.conftest import BOX, STACK, PretendedGeant4
from tests.training.test_budget import Clock

SQUARES = "{kind: cartesian, cell: [200 mm, 200 mm]}"
TINY = tuple(f"model.{k}={v}" for k, v in SMALL_MODELS["flow-matching"].items() if k != "kind")
FEW = (*TINY, "training.batch_size=16", "training.minutes=0.02", "selection.repeat=1")
HOURS = 0.006
TICK = 0.01
"""Seconds that the clock of trainings goes on by whenever it is read."""


class SlowGeant4(PretendedGeant4):
    """Takes as long as the real one would for soft particles."""

    def submit(self, fn, /, *args, **kwargs):
        time.sleep(0.002 * len(args[0].primaries))
        return super().submit(fn, *args, **kwargs)


@pytest.fixture
def detector(tmp_path):
    text = STACK.format(name="toy", volume=BOX, beam="{}", conditions="", each="false",
                        segmentation=SQUARES)  # fmt: skip
    path = tmp_path / "toy.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def planned_steps(monkeypatch):
    """Let a budget of a training be a number of steps, on any machine."""
    for module in (trained, curve):
        monkeypatch.setattr(module, "fit", partial(fit, clock=Clock(tick=TICK)))


def _learn(detector, folder, **options):
    given = {"overrides": FEW, "executor": SlowGeant4()} | options
    return learn(detector, "e-", "1GeV,4GeV", HOURS, folder, **given)


@pytest.mark.slow
@pytest.mark.usefixtures("planned_steps")
def test_everything_is_left_and_the_same_call_goes_on(detector, tmp_path):
    folder, notes = tmp_path / "learned", []

    def stop(phase, done, _total):
        if phase == "training" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _learn(detector, folder, on_progress=stop)
    learned = _learn(detector, folder, on_note=notes.append, executor=None)  # needs no Geant4
    assert notes[0].startswith("Geant4: ")
    assert notes[1] == "training: 0.14 min of flow-matching"
    assert {path.name for path in folder.iterdir()} == {
        "plan.yaml", "events.h5", "events-train.h5", "events-selection.h5", "events-test.h5",
        "floor.h5", "card.yaml", "simulator", "fast.h5", "report", "learning-curve.json",
        "learning-curve.png", "learned.md",
    }  # fmt: skip
    assert len(read_events(folder / "events.h5")) == learned.plan.events
    assert TrainedSimulator.load(folder / "simulator").about["budget_minutes"] == 0.02
    assert len(learned.points) == len(list(trainings())) == 4 * SEEDS
    text = (folder / "learned.md").read_text()
    assert "simulacra train card.yaml -o simulator" in text
    assert [text.count(f" 2 times the {what}") for what in ("showers", "steps")] == [1, 1]
    again = _learn(detector, folder, executor=None)
    assert again.points == learned.points
    assert (folder / "learned.md").read_text() == text
    with pytest.raises(SimulacraError, match="another request.*seed 1"):
        _learn(detector, folder, seed=2)


@pytest.mark.geant4
@pytest.mark.slow
@pytest.mark.usefixtures("planned_steps")
def test_geant4_makes_as_many_events_as_planned(detector, tmp_path, monkeypatch):
    rates = []

    def measured(request, executor):
        rates.append(measured_rate(request, executor))
        return 20.0  # few events, on any machine

    monkeypatch.setattr(run, "measured_rate", measured)

    def stop(phase, _done, _total):
        if phase == "training":
            raise KeyboardInterrupt

    folder = tmp_path / "learned"
    with pytest.raises(KeyboardInterrupt):
        learn(detector, "e-", "50MeV,100MeV", HOURS, folder, overrides=FEW, on_progress=stop)
    plan = parse_yaml((folder / "plan.yaml").read_text())
    assert rates[0] > 0
    assert (plan["rate"], plan["events"]) == (20.0, 137)
    for name in ("events", "floor"):
        events = read_events(folder / f"{name}.h5")
        assert len(events) == plan[name]
        assert "geant4-pybind" in events.provenance["versions"]


def test_mistakes_are_named_before_the_work(detector, tmp_path):
    folder = tmp_path / "learned"
    for options, words in (
        ({"overrides": ["training.stepz=1"]}, "training.stepz"),
        ({"model": "helix-flow"}, "needs a time-projection chamber"),
        ({"physics": "opt9"}, "physics"),
    ):
        with pytest.raises(SimulacraError, match=words):
            _learn(detector, folder, **options)
    with pytest.raises(SimulacraError, match="hours"):
        learn(detector, "e-", "1GeV", 0, folder)
    assert not folder.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(SimulacraError, match="holds something else"):
        _learn(detector, tmp_path / "other")


def test_the_command_refuses_in_one_line(monkeypatch, capsys, tmp_path):
    asked = ["--energy", "1GeV", "--hours", "0"]
    monkeypatch.setattr(sys, "argv", ["simulacra", "learn", "atlas-barrel", str(tmp_path), *asked])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: hours: must be greater than 0, not 0.0\n"


@pytest.mark.parametrize("name", ["atlas-barrel", "clic-ecal-angle", "alice-tpc"])
def test_every_kind_has_a_model_that_serves_it(name):
    find_model(default_model(load_detector(name))).check(load_detector(name))


def _request(**changes):
    asked = dict.fromkeys(("detector", "fingerprint"), "x") | {
        "particle": "e-", "energy": "1GeV", "hours": 2.0, "model": "flow-matching",
        "physics": "opt0", "seed": 1, "workers": 1,
    }  # fmt: skip
    return Request(**asked | changes)


def test_a_plan_fills_its_part_of_the_time():
    plan = Plan.of(_request(), load_detector("atlas-barrel"), rate=3.0)
    assert plan.simulation_minutes == pytest.approx(60 * 2 * SIMULATING, rel=0.01)
    assert plan.training_minutes + plan.curve_minutes == pytest.approx(120 * (TRAINING + CURVE))
    assert plan.floor == pytest.approx(plan.events / 10, abs=1)
    with pytest.raises(SimulacraError, match=r"only 6 events .* give .* hours or lower energies"):
        Plan.of(_request(hours=0.002), load_detector("atlas-barrel"), rate=3.0)


def test_a_power_law_is_found_and_its_absence_said():
    law = PowerLaw.fitted([100, 200, 400, 100, 200, 400], [2.0, 1.42, 1.0, 2.02, 1.41, 1.01])
    assert law.exponent == pytest.approx(0.5, abs=0.02)
    assert law.is_determined
    factor, low, high = law.factor(2)
    assert low < factor < high
    assert sentence(law, "showers", 0.1).startswith("2 times the showers: 0.71 times the score")
    assert sentence(law, "showers", 0.9).endswith("at the score of full simulation")
    noise = PowerLaw.fitted([100, 200, 400, 100], [1.0, 1.2, 0.9, 1.1])
    assert "undetermined, the exponent" in sentence(noise, "steps", 0.1)
    assert PowerLaw.fitted([100, 200, 400], [3.0, 2.0, 1.0]) is None
    assert "too few" in sentence(None, "steps", 0.1)
