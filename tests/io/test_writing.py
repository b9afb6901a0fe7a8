"""HDF5 files that fail while they are written end in one error, and Ctrl-C comes through."""

import errno
import signal
import tracemalloc

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.conditions import Conditions
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import read_events, write_events, write_pieces, writing
from simulacra.io.writing import chunks, created, write_arrays, write_dataset
from simulacra.io.writing.interrupts import uninterrupted


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
    # some 20 MB of chunks wait for their compression, more where other work delays it
    assert peak < 12 * piece["showers"].nbytes + 32_000_000


def test_no_rows(tmp_path):
    with created(tmp_path / "out.h5") as file:
        write_dataset(file, "numbers", np.zeros((0, 3), np.float32))
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["numbers"].shape == (0, 3)


KINDS = (np.float32, np.float64, np.float16, np.int8, np.uint16, np.int64, np.bool_, ">f4", ">i8")


@given(
    n=st.integers(0, 60),
    row=st.sampled_from([(), (1,), (7,), (3, 2), (0,)]),
    kind=st.sampled_from(KINDS),
    piece=st.integers(1, 60),
    threads=st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_plain_hdf5_reads_what_was_written_whatever_pieces_and_threads(
    n, row, kind, piece, threads, tmp_path_factory
):
    rng = np.random.default_rng(n)
    first = rng.integers(0, 2 if kind is np.bool_ else 100, (n, *row)).astype(kind)
    second = rng.random((n, 50)).astype(np.float32)
    folder, files = tmp_path_factory.mktemp("pieces"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "CHUNK", 1600)  # eight rows of the second
        for most, rows in ((threads, piece), (1, 100)):
            patch.setattr(chunks, "MOST_THREADS", most)
            files[rows] = folder / f"{rows}.h5"
            starts = range(0, n, rows) if n else [0]
            pieces = (
                {"a": (first[s : s + rows], "mm"), "b": (second[s : s + rows], None)}
                for s in starts
            )
            with created(files[rows]) as file:
                write_arrays(pieces, n, file)
    assert len({path.read_bytes() for path in files.values()}) == 1
    with h5py.File(files[100]) as file:
        assert np.array_equal(file["a"][()], first)
        assert np.array_equal(file["b"][()], second)
        assert file["a"].dtype == first.dtype
        assert file["a"].attrs["unit"] == "mm"
        if n:
            assert (file["b"].compression, file["b"].shuffle) == ("gzip", True)
            assert file["b"].chunks == (min(n, 8), 50)


def test_too_many_rows_are_refused(tmp_path):
    pieces = [{"a": (np.zeros(8), None)}] * 2
    with (
        pytest.raises(EventsError, match="16 events came where 9"),
        created(tmp_path / "o") as file,
    ):
        write_arrays(pieces, 9, file)


def test_an_interrupt_waits_for_the_end_of_the_block():
    reached = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        reached += [signal.raise_signal(signal.SIGINT), "the end"]
    assert reached[-1] == "the end"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_inside_hdf5_is_not_swallowed(tmp_path, monkeypatch):
    class Interrupted(writing.Sink):
        """Ctrl-C is pressed at every write, whatever made HDF5 write."""

        def write(self, data, /):
            signal.raise_signal(signal.SIGINT)
            return super().write(data)

    monkeypatch.setattr(writing, "Sink", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_events(load_sample("test").take(slice(5)), tmp_path / "out.h5")
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_stops_who_makes_the_pieces(tmp_path):
    events = load_sample("test").take(slice(2048))

    def pieces():
        yield events.take(slice(1024))
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the next piece must not be made")

    with pytest.raises(KeyboardInterrupt):
        write_pieces(pieces(), 2048, tmp_path / "out.h5")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_stops_a_long_write(tmp_path, monkeypatch):
    """Ctrl-C is pressed while the threads have more to do than anybody waits for."""
    monkeypatch.setattr(chunks, "IN_FLIGHT", 1)
    monkeypatch.setattr(writing, "CHUNK", 240)
    compressed = []

    def slow(rows, shape, kind):
        compressed.append(len(rows))
        if len(compressed) == 2:
            signal.raise_signal(signal.SIGINT)
        return b"chunk"

    monkeypatch.setattr(chunks, "deflated", slow)
    with pytest.raises(KeyboardInterrupt), created(tmp_path / "out.h5") as file:
        write_dataset(file, "numbers", np.zeros((1000, 3)))
    assert len(compressed) < 10
    assert list(tmp_path.iterdir()) == []


def test_what_fails_in_a_thread_is_raised(tmp_path, monkeypatch):
    def fails(*_):
        raise MemoryError

    monkeypatch.setattr(chunks, "deflated", fails)
    with pytest.raises(MemoryError), created(tmp_path / "out.h5") as file:
        write_dataset(file, "numbers", np.zeros((1000, 3)))
    assert list(tmp_path.iterdir()) == []
