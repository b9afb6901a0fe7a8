"""Impacts that an earlier version wrote as offsets from a cell are never taken for positions."""

import h5py
import numpy as np
import pytest
import uproot

from simulacra.conditions import Conditions, conditions_at
from simulacra.deploy import contract, export
from simulacra.errors import EventsError, SimulatorError
from simulacra.events import Events
from simulacra.io import EventFile, read_events, write_events
from simulacra.io.hdf5 import IMPACTS
from simulacra.simulators.load import load_simulator
from simulacra.simulators.trained import train
from simulacra.training.card import Card
from tests.conftest import SMALL_MODELS
from tests.detectors.calorimeter.test_places import IMPACTS as DECLARED
from tests.detectors.calorimeter.test_places import RINGS, TUBE, own
from tests.geometry import point_showers

SPOT = {"x": ["-55 mm", "55 mm"], "y": ["-55 mm", "55 mm"]}


def as_earlier(events, cell=20.0):
    """Return events with offsets from the middle of their cell, as an earlier version has them."""
    columns = dict(events.conditions.columns)
    for name in DECLARED:
        columns[name] = (np.mod(columns[name], cell) - cell / 2).astype(np.float32)
    return Events(Conditions(columns), events.response, events.detector, events.provenance)


def written_earlier(events, path):
    """Write events without a word on their impacts."""
    write_events(events, path)
    if path.suffix == ".h5":
        with h5py.File(path, "a") as file:
            del file.attrs[IMPACTS]
        return path
    with uproot.open(path) as file:
        tree = dict(file["events"].arrays(library="np"))
        texts = {name: str(file[name]) for name in ("detector", "provenance")}
    with uproot.recreate(path) as file:
        for name, text in texts.items():
            file[name] = text
        file.mktree("events", {k: np.dtype((v.dtype, v.shape[1:])) for k, v in tree.items()})
        file["events"].extend(tree)
    return path


@pytest.fixture
def events():
    return point_showers(own(beam=SPOT, reference="calo"), 60, seed=1)


@pytest.mark.parametrize("suffix", [".h5", ".root"])
def test_offsets_of_an_earlier_version_are_refused(events, tmp_path, suffix):
    path = written_earlier(as_earlier(events), tmp_path / f"old{suffix}")
    with pytest.raises(EventsError, match="offsets from the middle of a cell.*simulate it again"):
        read_events(path)
    with pytest.raises(EventsError, match="offsets"):
        EventFile(path)


@pytest.mark.parametrize("suffix", [".h5", ".root"])
def test_what_lies_beyond_half_a_cell_is_a_position(events, tmp_path, suffix):
    """Decided by all events of the file, not by those that are read."""
    path = written_earlier(events, tmp_path / f"new{suffix}")
    first = int(np.argmin(np.hypot(events.conditions["impact_x"], events.conditions["impact_y"])))
    read = read_events(path, rows=slice(first, first + 1))
    assert read.conditions["impact_x"] == events.conditions["impact_x"][first]


@pytest.mark.parametrize("suffix", [".h5", ".root"])
def test_what_is_written_now_is_read(events, tmp_path, suffix):
    """Even where all impacts lie near the middle."""
    write_events(as_earlier(events), tmp_path / f"near{suffix}")
    assert len(read_events(tmp_path / f"near{suffix}")) == len(events)


def test_only_where_an_offset_could_be_meant(tmp_path):
    """Without a reference cell, or around the middle cell, impacts always were positions."""
    spot = {"x": ["-9 mm", "9 mm"], "y": ["-9 mm", "9 mm"]}
    middle = {"kind": "box", "width": ["180 mm", "180 mm"]}
    for number, detector in enumerate(
        (
            own(beam=spot),
            own(beam=spot, volume=middle, reference="calo"),
            own(RINGS, volume=TUBE, beam=spot),
        )
    ):
        path = written_earlier(point_showers(detector, 20, seed=2), tmp_path / f"{number}.h5")
        assert len(read_events(path)) == 20


def test_windows_say_nothing_new(barrel, tmp_path):
    """Their impacts always were offsets: the bytes of their files stay."""
    write_events(point_showers(barrel, 4, seed=1), tmp_path / "windows.h5")
    with h5py.File(tmp_path / "windows.h5") as file:
        assert IMPACTS not in file.attrs


@pytest.mark.slow
def test_exported_simulators_of_an_earlier_version_are_refused(events, tmp_path, monkeypatch):
    (tmp_path / "own.yaml").write_text(events.detector.to_yaml())
    for name, seed in (("train", 1), ("selection", 2)):
        write_events(point_showers(events.detector, 80, seed=seed), tmp_path / f"{name}.h5")
    card = Card.model_validate(
        {
            "detector": str(tmp_path / "own.yaml"),
            "data": {n: str(tmp_path / f"{n}.h5") for n in ("train", "selection")},
            "model": SMALL_MODELS["flow-matching"],
            "training": {"steps": 2, "batch_size": 8},
            "selection": {"every": 2},
        }
    )
    simulator = train(card, tmp_path / "simulator")
    export(simulator, "onnx", tmp_path / "new.onnx")
    exported = load_simulator(str(tmp_path / "new.onnx"))
    made = exported.simulate(conditions_at(exported.detector, "1GeV", 3, 1), 1)
    assert IMPACTS not in made.provenance
    monkeypatch.setattr(contract, "_impacts", lambda _: {})
    export(simulator, "onnx", tmp_path / "old.onnx")
    with pytest.raises(SimulatorError, match="old.onnx: its impacts are offsets"):
        load_simulator(str(tmp_path / "old.onnx"))


def test_offsets_beyond_a_cell_are_refused_wherever_events_are_read(barrel, tmp_path):
    """Positions in place of offsets: by reading, converting, training and generating."""
    events = point_showers(barrel, 20, seed=1)
    columns = dict(events.conditions.columns)
    columns["impact_phi"] = columns["impact_phi"] + np.float32(80)
    path = tmp_path / "positions.h5"
    write_events(Events(Conditions(columns), events.response, barrel), path)
    why = "impact_phi must lie within ±.* mm, .* the offset from the middle of that cell"
    with pytest.raises(EventsError, match=why):
        read_events(path)
    with pytest.raises(EventsError, match=why):
        EventFile(path).take(slice(0, 4))
    simulator = load_simulator("atlas-barrel-photons")
    with pytest.raises(EventsError, match=why):
        simulator.simulate(Conditions(columns), 1)
