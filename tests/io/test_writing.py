"""HDF5 files that fail while they are written end in one error, and Ctrl-C comes through."""

import errno
import signal
import tracemalloc

import h5py
import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import read_events, write_events, write_pieces, writing
from simulacra.io.writing import created, new_dataset, uninterrupted, write_dataset, write_rows


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that takes 100 kB."""

    class Small(writing.Sink):
        def write(self, data, /):
            if self.tell() + len(data) > 100_000 and self.failure is None:
                self.failure = OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(writing, "Sink", Small)


def test_a_full_disk_is_one_error_and_leaves_the_old_file(full_disk, tmp_path):
    path = tmp_path / "out.h5"
    path.write_bytes(b"old")
    numbers = np.random.default_rng(1).random((2000, 50))
    with pytest.raises(OSError, match=r"No space left on device: .*out\.h5"), created(path) as file:
        write_dataset(file, "numbers", numbers)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_that_come_in_pieces_are_the_bytes_of_all_at_once(tmp_path):
    events = load_sample("test").take(slice(2500))
    write_events(events, tmp_path / "whole.h5")
    parts = (events.take(slice(start, start + 1024)) for start in range(0, 2500, 1024))
    write_pieces(parts, 2500, tmp_path / "pieces.h5")
    assert (tmp_path / "whole.h5").read_bytes() == (tmp_path / "pieces.h5").read_bytes()
    again = read_events(tmp_path / "pieces.h5")
    assert np.array_equal(again["showers"], events["showers"])


def of_a_grid(name, n):
    """Showers that say which cell and which event they are."""
    detector = load_detector(name)
    rng = np.random.default_rng(3)
    columns = {"energy": rng.uniform(20_000, 60_000, n)}
    cells = rng.random((n, detector.n_cells), dtype=np.float32)
    cells *= (columns["energy"] / cells.sum(axis=1))[:, None].astype(np.float32)
    return Events(Conditions(columns), {"showers": cells}, detector)


@pytest.mark.parametrize(
    ("detector", "kind"),
    [
        ("calochallenge-1-photons", "hdf5"),
        ("calochallenge-1-photons", "calochallenge"),
        ("calogan", "calogan"),
        ("calochallenge-2", "par04"),
    ],
)
def test_every_hdf5_format_takes_events_as_they_come(detector, kind, tmp_path):
    events = of_a_grid(detector, 40)
    write_events(events, tmp_path / "whole.h5", kind)
    parts = (events.take(slice(start, start + 8)) for start in range(0, 40, 8))
    write_pieces(parts, 40, tmp_path / "p.h5", kind)
    with h5py.File(tmp_path / "whole.h5") as whole, h5py.File(tmp_path / "p.h5") as pieces:
        names = []
        whole.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
        assert names
        for name in names:
            assert np.array_equal(whole[name][()], pieces[name][()])
            assert dict(whole[name].attrs) == dict(pieces[name].attrs)
    with pytest.raises(EventsError, match="16 events came where 40 were announced"):
        write_pieces([events.take(slice(16))], 40, tmp_path / "few.h5", kind)
    assert not (tmp_path / "few.h5").exists()


@pytest.mark.parametrize("name", ["calochallenge-1-photons", "calochallenge-2"])
def test_root_takes_events_as_they_come(name, tmp_path):
    """All cells of a small detector, the hits of a large one."""
    pytest.importorskip("uproot")
    events = of_a_grid(name, 40)
    events["showers"][events["showers"] < np.median(events["showers"])] = 0
    parts = (events.take(slice(start, start + 8)) for start in range(0, 40, 8))
    write_pieces(parts, 40, tmp_path / "pieces.root")
    again = read_events(tmp_path / "pieces.root")
    assert np.array_equal(again["showers"], events["showers"])
    assert np.array_equal(again.conditions["energy"], events.conditions["energy"])
    with pytest.raises(EventsError, match="16 events came where 40 were announced"):
        write_pieces([events.take(slice(16))], 40, tmp_path / "few.root")
    assert not (tmp_path / "few.root").exists()


@pytest.mark.parametrize(
    ("name", "kind", "ending"),
    [
        ("calochallenge-1-photons", "hdf5", "h5"),
        ("calochallenge-1-photons", "calochallenge", "h5"),
        ("calogan", "calogan", "h5"),
        ("calochallenge-2", "par04", "h5"),
        ("calochallenge-1-photons", "root", "root"),
    ],
)
def test_memory_does_not_grow_with_the_number_of_events(name, kind, ending, tmp_path):
    """Of 40 pieces at most a few are there at once, whatever the format."""
    pytest.importorskip("uproot")
    piece = of_a_grid(name, 64)
    path = tmp_path / f"out.{ending}"
    write_pieces([piece], 64, path, kind)  # all that loads once
    tracemalloc.start()
    try:
        write_pieces((piece.take(slice(None)) for _ in range(40)), 40 * 64, path, kind)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * piece["showers"].nbytes + 20_000_000


def test_no_rows(tmp_path):
    with created(tmp_path / "out.h5") as file:
        write_rows(new_dataset(file, "numbers", (0, 3), np.float32), 0, np.zeros((0, 3)))
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["numbers"].shape == (0, 3)


def test_an_interrupt_waits_for_the_end_of_the_block():
    reached = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        reached += [signal.raise_signal(signal.SIGINT), "the end"]
    assert reached[-1] == "the end"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_stops_a_long_write(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "PIECE", 1)
    written = []

    class Interrupted:
        """A dataset of many pieces; Ctrl-C is pressed while the second is written."""

        chunks = (10, 3)

        def __setitem__(self, rows, piece):
            written.append(rows.start)
            if len(written) == 2:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), created(tmp_path / "out.h5"):
        write_rows(Interrupted(), 0, np.zeros((1000, 3)))
    assert written == [0, 10]
    assert list(tmp_path.iterdir()) == []
