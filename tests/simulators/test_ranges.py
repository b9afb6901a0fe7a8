"""What each particle of a mixture had of each condition in training, and what lies beyond."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from simulacra.cli import app
from simulacra.columns import outside_seen
from simulacra.conditions import Conditions
from simulacra.deploy import export
from simulacra.detectors import load_detector
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.info import describe
from simulacra.io import write_events
from simulacra.particles import own_ranges_of
from simulacra.runtime import Runtime
from simulacra.simulators.extrapolation import require_near
from simulacra.simulators.load import load_simulator
from simulacra.simulators.ranges import own_ranges, seen_categories, trained_ranges
from simulacra.simulators.trained import train
from simulacra.training.card import Card
from tests.conftest import SMALL_MODELS, random_events

pytestmark = pytest.mark.slow

E, GAMMA = 11, 22
PARTS = {"theta": (0.0, 0.1), "phi": (-0.5, 0.5), "impact_x": (-5.0, 0.0), "energy": (1e3, 1.5e3)}
"""What electrons have of a condition, where photons have all of it."""


@pytest.fixture(scope="module")
def cube():
    """A small calorimeter with every kind of condition that a beam can give."""
    content = load_detector(Path(__file__).parent.parent / "small-tilted-cube.yaml").model_dump()
    content["conditions"] |= {
        "phi": {"role": "cyclic", "unit": "rad"},
        "impact_x": {"role": "linear", "unit": "mm"},
        "pdg": {"role": "categorical", "categories": (E, GAMMA)},
    }
    content["beam"] |= {"x": (-5, 5), "theta": (0, 0.35), "phi": (-np.pi, np.pi)}
    return type(load_detector("atlas-barrel")).model_validate(content)


def mixture(detector, n, seed, narrow=()):
    """Events of electrons and photons by turns; electrons have a part of some conditions."""
    rng = np.random.default_rng(seed)
    columns = {**detector.draw(np.geomspace(1e3, 4e3, n), rng)}
    columns["pdg"] = np.resize([E, GAMMA], n).astype(np.int32)
    electrons = columns["pdg"] == E
    for name in narrow:
        columns[name][electrons] = rng.uniform(*PARTS[name], electrons.sum())
    showers = rng.exponential(1.0, (n, detector.n_cells)).astype(np.float32)
    return Events(Conditions(columns), {"showers": showers}, detector, {"particles": ["e-"]})


def at(detector, particle, **values):
    """One row of conditions that all particles had, but for the values given."""
    row = {"energy": 1200.0, "theta": 0.05, "phi": 0.1, "impact_x": -2.0, "pdg": particle} | values
    return Conditions({name: np.full(1, row[name]) for name in detector.conditions})


@pytest.mark.parametrize("name", PARTS)
def test_a_particle_has_its_own_range_of_any_condition(cube, name):
    events = mixture(cube, 400, 1, [name])
    (low, high), expected = own_ranges(events)[E][name], PARTS[name]
    turn = 2 * np.pi if name == "phi" and low > np.pi else 0.0
    assert [low - turn, high - turn] == pytest.approx(expected, abs=0.02 * np.ptp(expected))
    assert own_ranges(events).keys() == {E}
    assert own_ranges(events)[E].keys() == {name}


@pytest.mark.parametrize("seed", range(8))
def test_equal_distributions_are_no_ranges_of_their_own(cube, seed):
    """Uniform values of any number end near each other or differ by chance; Gaussian ones, too."""
    for n in (8, 60, 1000):
        events = mixture(cube, n, seed)
        columns = dict(events.conditions.columns)
        columns["impact_x"] = np.random.default_rng(seed).normal(0, 1, n)
        drawn = Events(Conditions(columns), events.response, cube)
        for ranges in own_ranges(drawn).values():
            for limits in ranges.values():  # by chance, a little less than all may be left
                assert limits[1] > limits[0]
        if n == 1000:
            assert not {"theta", "phi", "energy"} & {
                name for ranges in own_ranges(drawn).values() for name in ranges
            }


def test_the_range_of_an_angle_is_the_arc_that_holds_it(cube):
    events = mixture(cube, 200, 1)
    columns = dict(events.conditions.columns)
    columns["phi"] = np.mod(np.linspace(-0.3, 0.3, 200), 2 * np.pi)
    low, high = trained_ranges(Events(Conditions(columns), events.response, cube))["phi"]
    assert (low, high) == pytest.approx((2 * np.pi - 0.3, 2 * np.pi + 0.3))
    assert trained_ranges(events)["phi"] == (
        float(events.conditions["phi"].min()),
        float(events.conditions["phi"].max()),
    )


@pytest.fixture(scope="module")
def files(cube, tmp_path_factory):
    """The folder of a simulator whose electrons had a part of every condition, and its export."""
    folder = tmp_path_factory.mktemp("narrow")
    (folder / "cube.yaml").write_text(cube.to_yaml())
    for name, seed in (("train", 1), ("selection", 2)):
        write_events(mixture(cube, 200, seed, PARTS), folder / f"{name}.h5")
    card = Card.model_validate(
        {
            "detector": str(folder / "cube.yaml"),
            "data": {name: str(folder / f"{name}.h5") for name in ("train", "selection")},
            "model": SMALL_MODELS["flow-matching"],
            "training": {"steps": 2, "batch_size": 8},
            "selection": {"every": 2, "repeat": 1},
        }
    )
    notes = []
    simulator = train(card, folder / "simulator", on_note=notes.append)
    assert sum(note.startswith("e- has ") and "only" in note for note in notes) == len(PARTS)
    export(simulator, "onnx", folder / "simulator.onnx")
    return folder


BEYOND = {"theta": 0.3, "phi": 2.0, "impact_x": 4.0, "energy": 3900.0}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("file", ["simulator", "simulator.onnx"])
def test_beyond_its_own_range_a_particle_is_outside_and_refused(cube, files, file, name):
    simulator = load_simulator(str(files / file))
    for particle, outside in ((E, True), (GAMMA, False)):
        asked = at(cube, particle, **{name: BEYOND[name]})
        assert simulator.outside(asked).tolist() == [outside]
        assert not simulator.outside(at(cube, particle)).any()
    require_near(simulator, asked)
    with pytest.raises(SimulatorError, match=f"{name} of e-: 1 events.*far outside the trained"):
        require_near(simulator, at(cube, E, **{name: BEYOND[name]}))


def test_the_runtime_counts_them_without_the_rest(cube, files):
    runtime = Runtime.load(files / "simulator.onnx")
    asked = dict(at(cube, E, theta=0.3).columns)
    assert runtime.outside(asked).tolist() == [True]
    assert runtime.outside(asked | {"pdg": np.array([GAMMA])}).tolist() == [False]


def test_the_command_line_refuses_them_and_info_shows_them(cube, files, tmp_path):
    asked = mixture(cube, 20, 3)
    write_events(asked, tmp_path / "like.h5")
    command = ["generate", str(files / "simulator"), "--like", str(tmp_path / "like.h5")]
    result = CliRunner().invoke(app, [*command, "-o", str(tmp_path / "fast.h5")])
    assert isinstance(result.exception, SimulatorError)
    assert "of e-" in str(result.exception)
    assert not (tmp_path / "fast.h5").exists()
    shown = describe(str(files / "simulator"))["own ranges"]
    assert set(shown) == {f"e- {name}" for name in PARTS}


@pytest.fixture(scope="module")
def one_cell(barrel, tmp_path_factory):
    """A simulator whose beam hit reference cells of one alignment only, and its export."""
    folder = tmp_path_factory.mktemp("one-cell")
    for name, seed in (("train", 1), ("selection", 2)):
        events = random_events(barrel, 120, seed)
        hit = np.isin(events.conditions["alignment_phi"], (0, 3))
        write_events(events.take(hit), folder / f"{name}.h5")
    card = Card.model_validate(
        {
            "detector": barrel.name,
            "data": {name: str(folder / f"{name}.h5") for name in ("train", "selection")},
            "model": SMALL_MODELS["flow-matching"],
            "training": {"steps": 2, "batch_size": 8},
            "selection": {"every": 2, "repeat": 1},
        }
    )
    notes = []
    simulator = train(card, folder / "simulator", on_note=notes.append)
    note = "the sample has alignment_phi 0, 3 only; others are outside of training"
    assert note in notes
    export(simulator, "onnx", folder / "simulator.onnx")
    return folder


@pytest.mark.parametrize("file", ["simulator", "simulator.onnx"])
def test_cells_that_were_never_hit_are_outside_and_refused(barrel, one_cell, file):
    """The layers lie otherwise around them: the network has not seen that."""
    simulator = load_simulator(str(one_cell / file))
    asked = random_events(barrel, 40, 3).conditions
    unseen = ~np.isin(asked["alignment_phi"], (0, 3))
    assert 0 < unseen.sum() < 40
    outside = simulator.outside(asked)
    assert outside[unseen].all()
    assert not outside.all()
    with pytest.raises(SimulatorError, match="alignment_phi.*not seen in training"):
        require_near(simulator, asked)


def test_particles_have_their_own_categories(barrel):
    events = random_events(barrel, 200, 1)
    detector = barrel.with_particles((E, GAMMA))
    pdg = np.where(events.conditions["alignment_phi"] == 2, GAMMA, np.resize([E, GAMMA], 200))
    columns = {**events.conditions.columns, "pdg": pdg.astype(np.int32)}
    mixed = Events(Conditions(columns), events.response, detector)
    assert seen_categories(mixed) == {E: {"alignment_phi": (0, 1, 3)}}
    assert seen_categories(events) == {}
    seen = seen_categories(mixed)
    assert not outside_seen(columns, pdg, seen).any()
    asked = outside_seen(columns, np.full(200, E), seen)
    assert asked.tolist() == (events.conditions["alignment_phi"] == 2).tolist()


def test_older_simulators_have_a_range_of_the_scale(cube):
    """A folder of an older version has one range a particle, by its name."""
    about = json.loads('{"own_ranges": {"gamma": [1000.0, 2000.0]}}')
    assert own_ranges_of(about, cube.scale) == {GAMMA: {"energy": (1000.0, 2000.0)}}
    assert own_ranges_of({}, cube.scale) == {}
