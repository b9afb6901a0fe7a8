import json

import numpy as np
import pytest
import torch

from simulacra.conditions import Conditions, EnergySpectrum, conditions_at, draw_conditions
from simulacra.errors import EventsError, SimulatorError
from simulacra.events import Events
from simulacra.files.work_folder import MARKER, SIGNATURE
from simulacra.io import write_events
from simulacra.simulators.trained import TrainedSimulator, train
from simulacra.training.card import Card
from tests.conftest import SMALL_MODELS, one_photon
from tests.detectors.calorimeter.test_places import own
from tests.geometry import point_showers

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(small_card, tmp_path):
    train(small_card(steps=2), tmp_path / "simulator")
    return tmp_path / "simulator"


@pytest.fixture
def conditions(barrel):
    return draw_conditions(barrel, EnergySpectrum.parse("1GeV,4GeV"), 40, np.random.default_rng(1))


def test_folder_is_whole_and_readable(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "simulator.json",
        "detector.yaml",
        "card.yaml",
        "weights.safetensors",
        "metrics.csv",
        "training.log",
        "learning-curve.png",
    }
    assert not folder.with_name("simulator.part").exists()


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "card.yaml", "detector.yaml", "metrics.csv"]
)
def test_changed_files_are_refused(folder, name):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(SimulatorError, match=f"{name} is missing or was changed"):
        TrainedSimulator.load(folder)


def test_missing_and_newer_folders_are_refused(folder, tmp_path):
    with pytest.raises(SimulatorError, match="no simulator .* one of atlas-barrel-photons"):
        TrainedSimulator.load(tmp_path / "nothing")
    (tmp_path / "begun.part").mkdir()
    with pytest.raises(SimulatorError, match="no simulator .* one of atlas-barrel-photons"):
        TrainedSimulator.load(tmp_path / "begun")
    (tmp_path / "begun.part" / MARKER).write_text(SIGNATURE)
    with pytest.raises(SimulatorError, match="training is unfinished; the same command"):
        TrainedSimulator.load(tmp_path / "begun")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SimulatorError, match="not a simulator folder"):
        TrainedSimulator.load(tmp_path / "empty")
    rewrite(folder, lambda about: about.update(format_version=99))
    with pytest.raises(SimulatorError, match="format 99"):
        TrainedSimulator.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about["ranges"].update(energy=[None, None]),
        lambda about: about["ranges"].update(energy=7),
        lambda about: about["ranges"].update(temperature=[1, 2]),
        lambda about: about["about"].update(seed=5),
        lambda about: about.update(sha256=[1]),
        lambda about: about.update(about=3),
    ],
)
def test_facts_of_the_wrong_form_are_refused(folder, change):
    rewrite(folder, change)
    with pytest.raises(SimulatorError):
        TrainedSimulator.load(folder)


def test_a_changed_digit_is_noticed(folder):
    path = folder / "simulator.json"
    text = path.read_text()
    path.write_text(text.replace('"format_version": 1', '"format_version":  1'))
    with pytest.raises(SimulatorError, match="changed or damaged"):
        TrainedSimulator.load(folder)


def test_answers_that_are_no_response_are_refused(folder, conditions):
    simulator = TrainedSimulator.load(folder)
    with torch.no_grad():
        for weights in simulator.surrogate.network.parameters():
            weights.fill_(float("nan"))
    with pytest.raises(SimulatorError, match="not finite"):
        simulator.simulate(conditions, seed=1)


def test_a_stream_is_the_same_events(folder, conditions):
    simulator = TrainedSimulator.load(folder)
    many = Conditions.concatenate([conditions] * 100)
    whole = simulator.simulate(many, seed=1)
    parts = Events.concatenate(list(simulator.stream(many, seed=1)))
    assert np.array_equal(whole["showers"], parts["showers"])
    assert len(list(simulator.stream(many.take(slice(0)), seed=1))) == 1


def rewrite(folder, change):
    """Change the facts of a simulator, without a digest of them, as an earlier version has it."""
    path = folder / "simulator.json"
    about = json.loads(path.read_text())
    del about["seal"]
    change(about)
    path.write_text(json.dumps(about))


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["ranges", "about", "sha256"])
def test_incomplete_facts_are_refused(folder, missing):
    rewrite(folder, lambda about: about.pop(missing))
    with pytest.raises(SimulatorError, match=f"damaged: '{missing}'"):
        TrainedSimulator.load(folder)


def test_history_is_what_training_saw(small_card, tmp_path):
    trained = train(small_card(steps=2), tmp_path / "simulator")
    (row,) = TrainedSimulator.load(tmp_path / "simulator").history
    assert row == pytest.approx(trained.history[0], rel=1e-5, nan_ok=True)


def test_training_does_not_overwrite(small_card, folder):
    with pytest.raises(SimulatorError, match="is there already"):
        train(small_card(steps=2), folder)


def test_outside_flags_untrained_energies(folder, barrel):
    simulator = TrainedSimulator.load(folder)
    conditions = one_photon(barrel, n=3, energy=np.array([1000.0, 4000.0, 9000.0]))
    assert list(simulator.outside(conditions)) == [False, False, True]


def test_conditions_far_outside_the_training_are_refused_unless_they_are_asked_for(folder, barrel):
    simulator = TrainedSimulator.load(folder)
    near = one_photon(barrel, n=2, energy=np.array([1000.0, 7900.0]))  # of 1 to 4 GeV
    assert len(simulator.simulate(near, 1)) == 2
    far = one_photon(barrel, n=3, energy=np.array([1000.0, 100_000.0, 8100.0]))
    asked = (
        lambda **how: simulator.simulate(far, 1, **how),
        lambda **how: next(simulator.stream(far, 1, **how)),
        lambda **how: simulator.generate("1GeV,100GeV,8.1GeV", 3, 1, **how),
    )
    for ask in asked:
        words = (
            r"energy: 2 events, such as one of 100000, .*1000 MeV to 4000 MeV: .*extrapolate=True"
        )
        with pytest.raises(SimulatorError, match=words):
            ask()
        assert len(ask(extrapolate=True)) == 3
    with pytest.raises(SimulatorError, match="far outside"):
        simulator.stream(far, 1)  # before the first piece


def test_bad_conditions_are_refused(folder, barrel):
    simulator = TrainedSimulator.load(folder)
    with pytest.raises(EventsError, match="must be positive"):
        simulator.simulate(one_photon(barrel, energy=np.array([-5.0])), seed=1)


def test_save_and_load_again(folder, tmp_path, barrel):
    simulator = TrainedSimulator.load(folder)
    simulator.save(tmp_path / "copy")
    copy = TrainedSimulator.load(tmp_path / "copy")
    conditions = one_photon(barrel, n=5)
    assert simulator.history
    rows = zip(copy.history, simulator.history, strict=True)
    assert all(copied == pytest.approx(row, nan_ok=True) for copied, row in rows)
    a, b = simulator.simulate(conditions, 1), copy.simulate(conditions, 1)
    assert np.array_equal(a["showers"], b["showers"])


@pytest.fixture
def placed(tmp_path):
    """A tiny default generator for cells that stand still, trained on showers of points."""
    detector = own(beam={"x": ["-60 mm", "60 mm"], "y": ["20 mm", "40 mm"]})
    (tmp_path / "own.yaml").write_text(detector.to_yaml())
    for name, seed in (("train", 1), ("selection", 2)):
        write_events(point_showers(detector, 80, seed=seed), tmp_path / f"{name}.h5")
    card = Card.model_validate(
        {
            "detector": str(tmp_path / "own.yaml"),
            "data": {n: str(tmp_path / f"{n}.h5") for n in ("train", "selection")},
            "model": SMALL_MODELS["flow-matching"],
            "training": {"steps": 2, "batch_size": 8},
            "selection": {"every": 2},
        }
    )
    notes = []
    train(card, tmp_path / "placed", on_note=notes.append)
    return tmp_path / "placed", notes


def test_what_the_sample_decides_is_told_and_kept(placed):
    folder, notes = placed
    assert notes[0] == "symmetries used: mirror-x"
    assert notes[1] == "mirror-y is not used: all events of the sample are on one side"
    simulator = TrainedSimulator.load(folder)
    assert simulator.card.model.symmetries == ("mirror-x",)
    conditions = conditions_at(simulator.detector, "1GeV", 20, 1)
    again = TrainedSimulator.load(folder).simulate(conditions, 1)
    assert np.array_equal(simulator.simulate(conditions, 1)["showers"], again["showers"])


def test_impacts_that_were_offsets_are_no_positions(placed):
    """A folder that does not say what its impacts are is refused where it matters."""
    folder, _ = placed
    assert json.loads((folder / "simulator.json").read_text())["impacts"] == "positions"
    rewrite(folder, lambda about: about.pop("impacts"))
    with pytest.raises(SimulatorError, match="impacts are offsets from the middle of a cell"):
        TrainedSimulator.load(folder)
