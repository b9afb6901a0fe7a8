"""Generating in one call gives what the simulator itself gives."""

import numpy as np
import pytest

import simulacra as sim
from simulacra.errors import SimulacraError, SimulatorError

NAME = "atlas-barrel-photons"


def test_drawn_conditions():
    simulator = sim.load_simulator(NAME)
    events = sim.generate(NAME, energy="2GeV", n=5, seed=3)
    expected = simulator.generate("2GeV", 5, 3)
    again = sim.generate(simulator, energy="2GeV", n=5, seed=3, particle="gamma")
    assert np.array_equal(events["showers"], expected["showers"])
    assert np.array_equal(events["showers"], again["showers"])


def test_conditions_of_a_file():
    events = sim.generate(NAME, like="sample:test", n=4)
    test = sim.load_sample("test")[:4]
    assert all(np.array_equal(events[name], test[name]) for name in events.conditions)


def test_what_makes_no_sense_is_refused():
    for arguments in ({}, {"energy": "1GeV"}, {"energy": "1GeV", "n": 1, "like": "sample:test"}):
        with pytest.raises(SimulacraError, match="give either"):
            sim.generate(NAME, **arguments)
    with pytest.raises(SimulatorError, match="far outside the trained range"):
        sim.generate(NAME, energy="10TeV", n=1)
    assert len(sim.generate(NAME, energy="1TeV", n=1, extrapolate=True)) == 1
