"""A damaged heap of texts, in which HDF5 searches without end, is refused before HDF5 sees it."""

import h5py
import pytest

from simulacra.errors import EventsError
from simulacra.io import heaps, read_events, write_events
from simulacra.io.heaps import START, require_finite_heaps


@pytest.fixture
def endless(events, tmp_path):
    """A file whose heap has free space of the size zero before its end."""
    path = tmp_path / "e.h5"
    write_events(events, path)
    content = bytearray(path.read_bytes())
    first = content.index(START) + heaps.HEADER
    content[first : first + heaps.HEADER] = bytes(heaps.HEADER)
    path.write_bytes(bytes(content))
    return path


def test_an_endless_heap_is_refused(endless):
    with pytest.raises(EventsError, match=r"e.h5: damaged: a heap of texts leads to itself"):
        read_events(endless)


@pytest.mark.parametrize("size", [10, 1000, 8_000_000])
def test_heaps_at_both_ends_of_a_large_file_are_seen(size, endless, tmp_path, monkeypatch):
    heap = endless.read_bytes()
    start = heap.index(START)
    heap = heap[start : start + 4096]
    monkeypatch.setattr(heaps, "SEARCHED", 8192)
    for content in (heap + bytes(size), bytes(size) + heap):
        (tmp_path / "large").write_bytes(content)
        with pytest.raises(EventsError):
            require_finite_heaps(tmp_path / "large")


def test_whole_heaps_pass(tmp_path):
    with h5py.File(tmp_path / "e.h5", "w") as file:
        for number in range(300):  # several collections, some of them full to the last byte
            file.attrs[f"{number}"] = "x" * (number * 7)
    assert (tmp_path / "e.h5").read_bytes().count(START) > 1
    require_finite_heaps(tmp_path / "e.h5")
