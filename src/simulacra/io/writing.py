"""HDF5 files that are written piece by piece, and end well or leave nothing.

HDF5 survives neither a write that fails (it crashes when the file is closed) nor an exception of a
signal inside its calls (it is swallowed). So a write that fails counts as done for HDF5 and the
error is raised afterwards, and Ctrl-C waits for the end of a piece, a fraction of a second.
"""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from simulacra.arrays import Array
from simulacra.errors import EventsError
from simulacra.files.atomic import whole_file

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

Arrays = Mapping[str, tuple[Array, str | None]]
"""Arrays, first axis the event, with their units, by their names in a file."""
ROWS = 1024
"""Rows that are compressed together."""
PIECE = 4_000_000
"""Bytes that are given to HDF5 in one call, about: a quarter of a second of compression."""


class Sink(io.FileIO):
    """A file whose failures do not reach who writes to it, but wait in :attr:`failure`.

    Attributes:
        failure: the first one.
    """

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all bytes, or remember why that failed; return their number in both cases."""
        left = memoryview(data).cast("B")
        size = len(left)
        with self._remembered():
            while self.failure is None and len(left):
                left = left[super().write(left) or 0 :]
        return size

    def truncate(self, size: int | None = None, /) -> int:
        """Set the file's size, or remember why that failed."""
        with self._remembered():
            return super().truncate(size)
        return size or 0

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read bytes; those that could not be written are zeros."""
        view = memoryview(buffer).cast("B")
        read = super().readinto(view) or 0
        if self.failure is not None:
            view[read:] = bytes(len(view) - read)
            return len(view)
        return read

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = self.failure or error


@contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """Yield a new HDF5 file, which appears at ``path`` whole or not at all.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; the message names the file.
    """
    with whole_file(path) as part, Sink(part, "r+") as sink:
        file = h5py.File(sink, "w")
        try:
            yield file
        finally:
            with uninterrupted():
                _close(file, sink)
        if sink.failure is not None:
            raise OSError(sink.failure.errno, sink.failure.strerror, str(path))


def _close(file: h5py.File, sink: Sink) -> None:
    try:
        file.close()
    except (OSError, RuntimeError):
        if sink.failure is None:
            raise


def write_arrays(pieces: Iterable[Arrays], n: int, group: h5py.Group) -> None:
    """Write the arrays of ``n`` events, which come in pieces, one or more, as they come.

    All arrays are written some rows at a time, so that equal events give equal bytes however they
    come, as long as pieces are multiples of these rows.

    Raises:
        EventsError: other than ``n`` events came.
    """
    datasets: dict[str, h5py.Dataset] = {}
    start = 0
    for arrays in pieces:
        if not datasets:
            datasets = {
                name: new_dataset(group, name, (n, *array.shape[1:]), array.dtype, unit)
                for name, (array, unit) in arrays.items()
            }
        size = len(next(iter(arrays.values()))[0])
        for first in range(0, size, ROWS):
            for name, (array, _) in arrays.items():
                write_rows(datasets[name], start + first, array[first : first + ROWS])
        start += size
    require_number(start, n)


def require_number(found: int, n: int) -> None:
    """Raise an :class:`EventsError` unless as many events came as were announced."""
    if found != n:
        msg = f"{found} events came where {n} were announced"
        raise EventsError(msg)


def write_dataset(
    group: h5py.Group, name: str, array: Array, unit: str | None = None, rows: int = ROWS
) -> None:
    """Write an array in compressed chunks of rows, with its unit as an attribute."""
    dataset = new_dataset(group, name, array.shape, array.dtype, unit, rows)
    write_rows(dataset, 0, array)


def new_dataset(
    group: h5py.Group,
    name: str,
    shape: tuple[int, ...],
    kind: Any,  # noqa: ANN401 - what NumPy takes for a type of numbers
    unit: str | None = None,
    rows: int = ROWS,
) -> h5py.Dataset:
    """Return a dataset of this shape, first axis the event, for :func:`write_rows` to fill."""
    options: dict[str, Any] = {}
    if all(shape):
        options = {
            "chunks": (min(shape[0], rows), *shape[1:]),
            "compression": "gzip",
            "compression_opts": 6,
            "shuffle": True,
        }
    dataset = group.create_dataset(name, shape, kind, track_times=False, **options)
    if unit is not None:
        dataset.attrs["unit"] = unit
    return dataset


def write_rows(dataset: h5py.Dataset, start: int, array: Array) -> None:
    """Write rows of a dataset from ``start`` on; Ctrl-C comes through between pieces.

    Raises:
        OSError: the disk is full.
    """
    chunk = (dataset.chunks or (len(array) or 1,))[0]
    size = max(array[:1].nbytes, 1) * chunk
    step = max(PIECE // size, 1) * chunk
    for first in range(0, len(array), step):
        piece = array[first : first + step]
        with uninterrupted():
            dataset[start + first : start + first + len(piece)] = piece


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C until the block has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is None:  # none of Python's
        yield
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        signal.raise_signal(signal.SIGINT)
