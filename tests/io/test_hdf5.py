import h5py
import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import EventFile, read_events, write_events
from tests.conftest import random_events, random_tracks


def test_round_trip(events, tmp_path):
    path = tmp_path / "events.h5"
    sent = Events(events.conditions, events.response, events.detector, {"seed": 3})
    write_events(sent, path)
    back = read_events(path)
    assert back.detector == events.detector
    assert dict(back.provenance) == {"seed": 3}
    assert np.array_equal(back["showers"], events["showers"])
    for name, column in events.conditions.columns.items():
        assert back.conditions[name].dtype == column.dtype
        assert np.array_equal(back.conditions[name], column)


def test_tracks_have_no_energy_and_come_back(tmp_path):
    sent = random_tracks(load_detector("alice-tpc"), 20)
    write_events(sent, tmp_path / "tracks.h5")
    with h5py.File(tmp_path / "tracks.h5") as file:
        assert set(file) == {"conditions", "clusters", "cluster_mask"}
        assert set(file["conditions"]) == set(sent.conditions.columns)
        assert file["conditions/transverse_momentum"].attrs["unit"] == "MeV"
    back = read_events(tmp_path / "tracks.h5")
    assert back.detector == sent.detector
    for name, array in sent.response.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
    for name, column in sent.conditions.columns.items():
        assert back.conditions[name].dtype == column.dtype
        np.testing.assert_array_equal(back.conditions[name], column)
    assert len(EventFile(tmp_path / "tracks.h5")) == 20


def test_equal_events_give_equal_bytes(events, tmp_path):
    write_events(events, tmp_path / "a.h5")
    write_events(events, tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_layout_is_calochallenge(events, tmp_path):
    write_events(events, tmp_path / "events.h5")
    with h5py.File(tmp_path / "events.h5") as file:
        assert file["incident_energies"].shape == (64, 1)
        assert file["showers"].shape == (64, 266)
        assert file["showers"].attrs["unit"] == "MeV"


def test_no_events_are_a_file_too(events, tmp_path):
    write_events(events.take(slice(0)), tmp_path / "events.h5")
    assert len(read_events(tmp_path / "events.h5")) == 0


def test_plain_calochallenge_file_needs_its_detector(tmp_path):
    detector = load_detector("calochallenge-2")
    events = random_events(detector, 4)
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file["incident_energies"] = events.conditions["energy"][:, None]
        file["showers"] = events["showers"]
    with pytest.raises(EventsError, match="--detector"):
        read_events(tmp_path / "plain.h5")
    assert len(read_events(tmp_path / "plain.h5", detector)) == 4


def test_file_of_another_detector_is_refused(events, tmp_path):
    write_events(events, tmp_path / "events.h5")
    with pytest.raises(EventsError, match="of detector atlas-barrel, not of calogan"):
        read_events(tmp_path / "events.h5", load_detector("calogan"))


@pytest.mark.parametrize("size", [0, 10, 2000, -1])
def test_truncated_file_is_one_clear_line(events, tmp_path, size):
    path = tmp_path / "events.h5"
    write_events(events, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(EventsError, match="truncated or damaged") as caught:
        read_events(path)
    assert "\n" not in str(caught.value)


def test_failed_write_leaves_the_old_file(events, tmp_path, monkeypatch):
    path = tmp_path / "events.h5"
    write_events(events, path)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        msg = "disk full"
        raise OSError(msg)

    monkeypatch.setattr(h5py.Group, "create_dataset", fail)
    with pytest.raises(OSError, match="disk full"):
        write_events(events, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["events.h5"]


def test_unknown_ending(events, tmp_path):
    with pytest.raises(EventsError, match="endings known are .h5"):
        write_events(events, tmp_path / "events.parquet")
