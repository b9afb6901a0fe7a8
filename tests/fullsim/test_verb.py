"""Geant4 in one call."""

import numpy as np
import pytest

import simulacra as sim
from simulacra.errors import SimulacraError


@pytest.mark.geant4
def test_events_in_memory_are_those_of_a_file(tmp_path):
    notes, progress = [], []
    arguments = ("calogan", "gamma", "100MeV", 3)
    events = sim.simulate(*arguments, seed=4, on_progress=lambda *done: progress.append(done))
    written = sim.simulate(*arguments, seed=4, output=tmp_path / "e.h5", on_note=notes.append)
    assert np.array_equal(events["showers"], written["showers"])
    assert np.array_equal(events["showers"], sim.read_events(tmp_path / "e.h5")["showers"])
    assert progress[-1] == ("Geant4", 3, 3)
    assert events.provenance == written.provenance


def test_bad_arguments_are_one_line():
    for changes, message in (
        ({"particle": "nonsense"}, "unknown particle"),
        ({"energy": "5"}, "energy"),
        ({"physics": "nonsense"}, "unknown physics list"),
        ({"cut": "-1mm"}, "cut"),
        ({"cut": "1GeV"}, "is not a length"),
        ({"detector": "nonsense"}, "no detector 'nonsense'"),
    ):
        arguments = {"detector": "calogan", "particle": "gamma", "energy": "1GeV", "n": 1}
        with pytest.raises(SimulacraError, match=message):
            sim.simulate(**arguments | changes)


def test_doubts_are_told_before_the_work():
    notes = []
    with pytest.raises(SimulacraError):
        sim.simulate("calogan", "pi+", "1GeV", 0, on_note=notes.append)
    assert any("hadron" in note for note in notes)
