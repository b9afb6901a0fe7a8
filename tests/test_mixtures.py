"""Several particles from their files to a simulator that tells them apart."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.deploy.contract import contract_of
from simulacra.errors import CardError, EventsError, SimulacraError, SimulatorError
from simulacra.events import Events
from simulacra.info import describe
from simulacra.io import write_events
from simulacra.particles import ParticleMixture
from simulacra.simulators.requests import conditions_like
from simulacra.simulators.trained import TrainedSimulator, train
from simulacra.training.card import Card
from tests.conftest import SMALL_MODELS, random_events


def sample(detector, particle, seed, n=40):
    events = random_events(detector, n, seed)
    return Events(
        events.conditions,
        events.response,
        detector,
        {"particle": particle} if particle else {},
    )


@pytest.fixture
def files(barrel, tmp_path):
    """A function that writes files of single particles and returns their names."""

    def write(*particles, seed=1, n=40):
        names = []
        for number, particle in enumerate(particles):
            path = tmp_path / f"{particle}-{seed + number}.h5"
            write_events(sample(barrel, particle, seed + number, n), path)
            names.append(str(path))
        return names

    return write


def card(train_files, selection, detector="atlas-barrel", kind="flow-matching"):
    return Card.model_validate(
        {
            "detector": str(detector),
            "data": {"train": train_files, "selection": selection},
            "model": SMALL_MODELS[kind],
            "training": {"steps": 2, "batch_size": 8},
            "selection": {"every": 2, "repeat": 1},
        }
    )


@pytest.fixture
def both(files, tmp_path):
    content = card(files("e-", "gamma"), files("gamma", "e-", seed=5))
    notes = []
    simulator = train(content, tmp_path / "both", on_note=notes.append)
    assert "particles: e-, gamma, told apart by the condition pdg" in notes
    return simulator


@pytest.mark.slow
def test_a_simulator_of_two_particles(both, barrel, files, tmp_path):
    assert both.particles == ("e-", "gamma")
    assert both.detector == barrel.with_particles((11, 22))
    loaded = TrainedSimulator.load(tmp_path / "both")
    assert loaded.particles == both.particles
    assert loaded.card.data.selection == both.card.data.selection
    assert describe(str(tmp_path / "both"))["particles"] == "e-, gamma (chosen one by one)"
    with pytest.raises(SimulacraError, match="which particle.*e-, gamma: give --particle"):
        loaded.generate("2GeV", 4, 1)
    with pytest.raises(SimulatorError, match="trained on e-, gamma, not on pi-"):
        loaded.generate("2GeV", 4, 1, "pi-")
    events = loaded.generate("2GeV", 4, 1, "e-,gamma")
    assert events.particles == (11, 22)
    labelled = conditions_like(loaded, files("gamma", seed=9)[0], 3)
    assert labelled["pdg"].tolist() == [22] * 3
    named = conditions_like(loaded, files("gamma", seed=9)[0], 3, ParticleMixture.parse("e-"))
    assert named["pdg"].tolist() == [11] * 3
    with pytest.raises(SimulatorError, match="trained on e-, gamma, not on mu-"):
        conditions_like(loaded, files("mu-", seed=9)[0])
    with pytest.raises(EventsError, match="which particle: give --particle"):
        conditions_like(loaded, files("", seed=9)[0])


@pytest.mark.slow
def test_a_declared_particle_that_was_never_seen_is_refused(barrel, files, tmp_path):
    """The detector's file may declare more particles than the sample has."""
    detector = tmp_path / "own.yaml"
    detector.write_text(barrel.with_particles((11, 22, -211)).to_yaml())
    simulator = train(
        card(files("e-", "gamma"), files("e-", "gamma", seed=5), detector), tmp_path / "s"
    )
    assert simulator.detector.particles == (11, 22, -211)
    asked = simulator.generate("2GeV", 6, 1, "e-,gamma").conditions
    pions = Conditions({**asked.columns, "pdg": np.full(6, -211, np.int32)})
    with pytest.raises(SimulatorError, match="trained on e-, gamma, not on pi-"):
        simulator.simulate(pions, 1)
    assert contract_of(simulator).declared["pdg"].categories == (11, 22)
    with pytest.raises(EventsError, match="hold mu-, not only e-, gamma, pi-"):
        train(card(files("mu-"), files("mu-", seed=5), detector), tmp_path / "t")


def test_each_particle_has_its_own_range(barrel, files, tmp_path):
    electrons, photons = sample(barrel, "e-", 3), sample(barrel, "gamma", 4)
    write_events(electrons, tmp_path / "e.h5")
    low = photons.take(photons.conditions["energy"] < 2000)
    write_events(low, tmp_path / "g.h5")
    names = [str(tmp_path / name) for name in ("e.h5", "g.h5")]
    simulator = train(card(names, files("e-", "gamma", seed=5)), tmp_path / "s")
    assert simulator.own_ranges == {22: {"energy": pytest.approx((1000.0, 1000.0))}}
    with pytest.raises(SimulatorError, match="energy of gamma: 2 events, .* far outside"):
        simulator.generate("1GeV,4GeV", 8, 1, "e-,gamma")
    asked = simulator.generate("1GeV,4GeV", 8, 1, "e-,gamma", extrapolate=True).conditions
    outside = (asked["pdg"] == 22) & (asked["energy"] > 2000)
    assert simulator.outside(asked).tolist() == outside.tolist()


def test_a_particle_that_lacks_a_part_of_a_condition_is_noted(barrel, tmp_path, files):
    electrons, photons = sample(barrel, "e-", 1, 80), sample(barrel, "gamma", 2, 80)
    electrons = electrons.take(electrons.conditions["impact_eta"] < 0)
    for name, events in (("e", electrons), ("p", photons)):
        write_events(events, tmp_path / f"{name}.h5")
    content = card([str(tmp_path / "e.h5"), str(tmp_path / "p.h5")], files("e-", "gamma", seed=5))
    notes = []
    train(content, tmp_path / "s", on_note=notes.append)
    (note,) = [note for note in notes if "only" in note]
    assert note.startswith("e- has impact_eta from -")


@pytest.mark.parametrize(
    ("train_on", "select_by", "words"),
    [
        (("e-", ""), ("e-",), r"names no particle.*unlabelled mixture"),
        (("e-",), ("gamma",), r"selection holds gamma, data.train only e-"),
        (("e-", "gamma"), ("mu-",), r"selection holds mu-, data.train only e-, gamma"),
        (("e-", "gamma"), ("",), r"data.selection: nothing says which event"),
        (("e-,gamma",), ("e-",), r"e-,gamma-1.h5 holds e-, gamma and does not say"),
        (("e-",), ("e-,gamma",), r"e-,gamma-5.h5 holds e-, gamma and does not say"),
    ],
)
def test_samples_that_cannot_be_told_apart_are_refused(files, tmp_path, train_on, select_by, words):
    with pytest.raises(EventsError, match=words):
        train(card(files(*train_on), files(*select_by, seed=5)), tmp_path / "s")
    assert not (tmp_path / "s.part").exists()


def test_a_selection_without_a_particle_is_noted(files, tmp_path):
    content = card(files("e-", "gamma"), files("gamma", seed=5))
    with pytest.warns(UserWarning, match="data.selection no e-: the epoch is selected without e-"):
        train(content, tmp_path / "s")


def test_a_model_that_would_mix_particles_is_refused(files, tmp_path):
    content = card(files("e-", "gamma"), files("e-", "gamma", seed=5), kind="wgan")
    with pytest.raises(CardError, match="wgan does not look at the particle"):
        train(content, tmp_path / "s")


def test_one_particle_needs_no_condition(files, barrel, tmp_path):
    simulator = train(card(files("e-", "e-"), files("e-", seed=5)), tmp_path / "s")
    assert simulator.detector == barrel
    assert simulator.particles == ("e-",)
    assert simulator.generate("2GeV", 2, 1, "e-").conditions.columns.keys() == set(
        barrel.conditions
    )
    with pytest.raises(SimulatorError, match="trained on e-, not on gamma"):
        simulator.generate("2GeV", 2, 1, "gamma")


# --- events that occur twice -------------------------------------------------------------------


def test_the_same_events_for_training_and_selection_are_refused(files, tmp_path):
    first, second = files("e-", "e-")
    with pytest.raises(EventsError, match="data.train and data.selection hold the same events"):
        train(card([first], [first]), tmp_path / "s")
    with pytest.raises(EventsError, match="hold the same events"):
        train(card([first, second], [second, first]), tmp_path / "s")


@pytest.mark.slow
def test_events_that_occur_twice_are_noted(files, tmp_path):
    first, second = files("e-", "e-")
    (third,) = files("e-", seed=7)
    with pytest.warns(UserWarning, match="40 of 80 events of data.train occur twice"):
        train(card([first, first], third), tmp_path / "a")
    with pytest.warns(UserWarning, match="40 of 80 events of data.selection are in data.train"):
        train(card([first, second], [second, third]), tmp_path / "b")
    with pytest.warns(UserWarning, match="40 of 80 events of data.selection occur twice"):
        train(card(first, [third, third]), tmp_path / "c")
