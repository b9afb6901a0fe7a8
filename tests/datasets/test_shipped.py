"""What ships works right after the install, comes from a committed card, and is Geant4-like."""

from pathlib import Path

import numpy as np
import pytest

from simulacra.datasets.samples import load_sample
from simulacra.datasets.shipped import shipped_simulators, simulator_folder
from simulacra.simulators.trained import TrainedSimulator
from simulacra.training.card import Card

CARDS = {"atlas-barrel-photons": "benchmarks/flow_matching/default.yaml"}
"""The card that each shipped simulator was trained with."""
LARGEST = 5e6


def test_every_shipped_simulator_has_its_card():
    assert set(CARDS) == set(shipped_simulators())


@pytest.mark.parametrize("name", CARDS)
def test_is_small_and_made_by_a_committed_card(name):
    simulator = TrainedSimulator.load(name)
    assert simulator.card == Card.load(Path(__file__).parents[2] / CARDS[name])
    assert sum(path.stat().st_size for path in simulator_folder(name).iterdir()) < LARGEST


@pytest.mark.slow
def test_default_has_the_response_of_geant4():
    """On test events, which no training saw; above 32 GeV a few late showers make the width."""
    test = load_sample("test")
    fast = TrainedSimulator.load("atlas-barrel-photons").simulate(test.conditions, seed=1)
    for energy in np.unique(test.conditions["energy"]):
        here = test.conditions["energy"] == energy
        if here.sum() < 400:
            continue
        reference, generated = (
            events["showers"][here].astype(np.float64).sum(axis=1) for events in (test, fast)
        )
        assert generated.mean() == pytest.approx(reference.mean(), rel=0.01)
        assert generated.std() == pytest.approx(reference.std(), rel=0.15)


def test_default_leaves_as_many_cells_empty_as_geant4():
    test = load_sample("test")
    fast = TrainedSimulator.load("atlas-barrel-photons").simulate(test.conditions, seed=1)
    for layer in test.detector.layers:
        occupancy = [np.mean(events["showers"][:, layer.cells] > 0) for events in (test, fast)]
        assert occupancy[1] == pytest.approx(occupancy[0], rel=0.05)


def test_generates_by_name_and_energy():
    simulator = TrainedSimulator.load("atlas-barrel-photons")
    events = simulator.generate("50GeV", 100, seed=1)
    assert events["showers"].shape == (100, 266)
    assert np.all(events.conditions["energy"] == 50_000)
    again = simulator.generate("50GeV", 100, seed=1)
    assert np.array_equal(again["showers"], events["showers"])
    assert not simulator.outside(events.conditions).any()


def test_energy_normalisation_moves_the_hottest_cell_little():
    """The fractions of a layer are divided by their sum, which scatters most at low energies."""
    test = load_sample("test")
    fast = TrainedSimulator.load("atlas-barrel-photons").simulate(test.conditions, seed=1)
    middle = test.detector.layers[2].cells
    for energy, limit in ((1000, 0.25), (2000, 0.2), (16_000, 0.15)):
        here = test.conditions["energy"] == energy
        hottest = []
        for events in (test, fast):
            cells = events["showers"][here][:, middle].astype(np.float64)
            cells = cells[cells.sum(axis=1) > 0]
            hottest.append(np.log(cells.max(axis=1) / cells.sum(axis=1)))
        full, generated = hottest
        assert abs(generated.mean() - full.mean()) < limit * full.std()
        assert generated.std() == pytest.approx(full.std(), rel=0.12)
