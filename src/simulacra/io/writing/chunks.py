"""Chunks of HDF5 data sets, shuffled and deflated in threads, stored as they are.

HDF5 compresses on one core, with zlib, while nothing else of it can run. Here the two filters run
outside of it: what ISA-L's deflate makes is what HDF5's gzip filter reads, at 20 to 30 times the
speed of zlib's level 6 and 4 % more bytes. Chunks are stored in the order in which they come, so
that equal arrays give equal files, however many threads there are.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from isal import isal_zlib

from simulacra.arrays import Array
from simulacra.io.writing.interrupts import interruptible

LEVEL = 1
"""ISA-L's level: those above are slower and, for showers, no smaller."""
FILTERS = {"compression": "gzip", "compression_opts": LEVEL, "shuffle": True}
"""How HDF5 names what :func:`deflated` does."""
IN_FLIGHT = 2**25
"""Bytes of arrays that wait for their compression, at most, beside a chunk: 32 MB."""
MOST_THREADS = 4
"""More than one network feeds."""


def deflated(rows: list[Array], shape: tuple[int, ...], kind: np.dtype[Any]) -> bytes:
    """Return a chunk as HDF5 stores it behind its filters shuffle and gzip.

    Args:
        rows: what it holds, in order.
        shape: the chunk's; rows that are lacking at the end are zeros.
        kind: the type of the data set's numbers.
    """
    chunk = np.zeros(shape, kind)
    first = 0
    for array in rows:
        chunk[first : first + len(array)] = array
        first += len(array)
    planes = chunk.view(np.uint8).reshape(-1, kind.itemsize).T
    return isal_zlib.compress(np.ascontiguousarray(planes), LEVEL)


class Filling:
    """A data set that is filled from its first row on.

    Args:
        dataset: in chunks of whole rows behind :data:`FILTERS`, or empty.
        packer: what compresses and stores its chunks.
    """

    def __init__(self, dataset: h5py.Dataset, packer: Packer) -> None:
        self._dataset, self._packer = dataset, packer
        self._rows: list[Array] = []
        self._first, self._held = 0, 0

    @property
    def chunk_rows(self) -> int:
        """Rows that are compressed together; 0 where there are none."""
        chunks: tuple[int, ...] = self._dataset.chunks or (0,)
        return chunks[0]

    def add(self, array: Array) -> None:
        """Take the next rows; they must not change until they are stored."""
        while len(array) and self.chunk_rows:
            some = array[: self.chunk_rows - self._held]
            self._rows.append(some)
            self._held += len(some)
            array = array[len(some) :]
            if self._held == self.chunk_rows:
                self.end()

    def end(self) -> None:
        """Compress the rows that are held, which are a chunk or the last ones."""
        if self._held:
            self._packer.pack(self._dataset, self._first, self._rows)
            self._first += self._held
            self._rows, self._held = [], 0


class Packer:
    """Compresses chunks in threads and stores them in the order in which they came.

    Ctrl-C comes through while it waits for its threads, and between two chunks.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_THREADS))
        self._waiting: deque[tuple[Future[bytes], h5py.Dataset, int, int]] = deque()
        self._in_flight = 0

    def pack(self, dataset: h5py.Dataset, first: int, rows: list[Array]) -> None:
        """Have the chunk of a data set that begins with row ``first`` compressed and stored."""
        size = sum(array.nbytes for array in rows)
        chunk = self._threads.submit(deflated, rows, dataset.chunks, dataset.dtype)
        self._waiting.append((chunk, dataset, first, size))
        self._in_flight += size
        while self._waiting and (self._in_flight > IN_FLIGHT or self._waiting[0][0].done()):
            self._store()

    def _store(self) -> None:
        """Store the oldest chunk."""
        chunk, dataset, first, size = self._waiting.popleft()
        with interruptible():
            stored = chunk.result()
        dataset.id.write_direct_chunk((first, *(0,) * (dataset.ndim - 1)), stored)
        self._in_flight -= size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Store what waits, or after an error give it up."""
        try:
            while self._waiting and kind is None:
                self._store()
        finally:
            self._waiting.clear()
            self._threads.shutdown(cancel_futures=True)
