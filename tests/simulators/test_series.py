"""Folders and files of earlier releases go on loading, and give the same events.

A release adds a folder of its name with a tiny simulator, its export and ``numbers.json``; none of
them is ever written again. ``README.md`` there has the commands.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.simulators.load import load_simulator

SERIES = Path(__file__).parent / "folders"
PLACES = sorted(p for p in SERIES.glob("*/*") if p.is_dir() or p.suffix == ".onnx")
SEED = 1


def sums_of(simulator):
    """Conditions, and the sums of an event's numbers by their name."""
    low, high = simulator.ranges["energy"]
    energies = np.geomspace(low, high, 5).astype(np.float32)
    events = simulator.simulate(Conditions({"energy": energies}), SEED)
    return {
        name: array.reshape(len(events), -1).sum(axis=1, dtype=np.float64).tolist()
        for name, array in events.response.items()
    }


@pytest.mark.parametrize("place", PLACES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_earlier_simulators_load_and_give_the_same_events(place):
    expected = json.loads((place.parent / "numbers.json").read_text())[place.name]
    found = sums_of(load_simulator(place))
    assert found.keys() == expected.keys()
    for name, sums in expected.items():
        assert found[name] == pytest.approx(sums, rel=1e-4), name
        assert np.ptp(sums) > 0


def test_every_release_has_a_folder_and_a_file():
    for release in {place.parent for place in PLACES}:
        known = json.loads((release / "numbers.json").read_text())
        assert known.keys() == {place.name for place in PLACES if place.parent == release}
        size = sum(path.stat().st_size for path in release.rglob("*") if path.is_file())
        assert size < 100_000
    assert (SERIES / "0.1").is_dir()
