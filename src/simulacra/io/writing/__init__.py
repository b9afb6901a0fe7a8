"""HDF5 files that are written piece by piece, and end well or leave nothing.

HDF5 does not survive a write that fails: it crashes when the file is closed. So a write that fails
counts as done for HDF5 and the error is raised afterwards. Arrays are compressed in threads while
the next ones are made.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError
from simulacra.files.atomic import whole_file
from simulacra.io.writing.chunks import FILTERS, Filling, Packer
from simulacra.io.writing.interrupts import interruptibly, uninterrupted

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

Arrays = Mapping[str, tuple[Array, str | None]]
"""Arrays, first axis the event, with their units, by their names in a file."""
ROWS = 1024
"""Rows that are compressed together, at most."""
CHUNK = 2**21
"""Bytes of an array that are compressed together, at most, but for one row: 2 MB."""


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
def created(path: Path, sweep: bool = True) -> Iterator[h5py.File]:
    """Yield a new HDF5 file, which appears at ``path`` whole or not at all.

    The arguments are those of :func:`simulacra.files.atomic.whole_file`.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; the message names the file.
    """
    with whole_file(path, sweep) as part, uninterrupted(), Sink(part, "r+") as sink:
        file = h5py.File(sink, "w")
        try:
            yield file
        finally:
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

    Equal events give equal bytes, however they come. Arrays must not change once they have come:
    they are compressed while the next piece is made.

    Raises:
        EventsError: other than ``n`` events came.
    """
    datasets: dict[str, Filling] = {}
    start = 0
    with Packer() as packer:
        for arrays in interruptibly(pieces):
            if not datasets:
                for name, (array, unit) in arrays.items():
                    dataset = new_dataset(group, name, (n, *array.shape[1:]), array.dtype, unit)
                    datasets[name] = Filling(dataset, packer)
                step = min(filling.chunk_rows or ROWS for filling in datasets.values())
            size = len(next(iter(arrays.values()))[0])
            if start + size > n:
                require_number(start + size, n)
            # Cut where a chunk can end, so that the order of chunks is that of the rows.
            for first, last in pairwise([*range(-(start % step), size, step), size]):
                for name, (array, _) in arrays.items():
                    datasets[name].add(array[max(first, 0) : last])
            start += size
        for filling in datasets.values():
            filling.end()
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
    with Packer() as packer:
        filling = Filling(dataset, packer)
        filling.add(array)
        filling.end()


def new_dataset(
    group: h5py.Group,
    name: str,
    shape: tuple[int, ...],
    kind: Any,  # noqa: ANN401 - what NumPy takes for a type of numbers
    unit: str | None = None,
    rows: int = ROWS,
) -> h5py.Dataset:
    """Return a dataset of this shape, first axis the event, for :class:`Filling` to fill.

    Args:
        group: where it lies.
        name: its name there.
        shape: its shape.
        kind: the type of its numbers.
        unit: an attribute.
        rows: of a chunk, at most; large rows are fewer in a chunk, a power of two.
    """
    options: dict[str, Any] = {}
    if all(shape):
        size = max(math.prod(shape[1:]) * np.dtype(kind).itemsize, 1)
        fitting = 2 ** int(math.log2(max(CHUNK / size, 1)))
        options = {"chunks": (min(shape[0], rows, fitting), *shape[1:]), **FILTERS}
    dataset = group.create_dataset(name, shape, kind, track_times=False, **options)
    if unit is not None:
        dataset.attrs["unit"] = unit
    return dataset
