"""Batches that are read from files in the background, in random order, by each process its part.

The files are cut into blocks. In every epoch each process gets other blocks, in random order; some
of them together are a window, whose events are in random order. The order depends on the seed and
the number of processes alone, so that a training goes on where it stopped.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from simulacra.arrays import IntArray
from simulacra.events import numbers_of
from simulacra.models.surrogate import Surrogate
from simulacra.training.batch_norm import BATCHES, EVENTS
from simulacra.training.batches import InMemory, Rows, on_device
from simulacra.training.streams import Stream
from simulacra.transforms.drawn import integers

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LARGEST_BLOCK, SMALLEST_BLOCK = 1024, 64
"""Events of a block: files of ours compress 1024 of them together."""
BLOCKS = 8
"""Blocks of a window."""
WINDOW_NUMBERS = 28_000_000
"""Numbers of the response in a window, about: two windows are in memory."""
AT_ONCE = 128
"""Events that are transformed at once, which takes several copies in double precision."""
POLLED = 0.2
"""Seconds after which the thread looks whether somebody still reads."""
ORDER = 5
"""Of a seed, the stream that the order of events is drawn from."""


class Window(NamedTuple):
    """Events that are read and transformed: features, encoded conditions."""

    features: Tensor
    conditions: Tensor


class _Place(NamedTuple):
    """A window of an epoch: blocks by the rows of the files, and the seed of its order."""

    blocks: tuple[slice, ...]
    seed: tuple[int, ...]
    events: int


class Streamed:
    """Batches of a stream, on a device and for a process.

    Args:
        surrogate: fitted to the stream's sample; its preprocessing makes features.
        stream: the training events.
        sample: features and encoded conditions of some events, in memory.
        conditions: encoded conditions of all events.
        seed: of the order.
        fabric: device and process; None before they are known.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        stream: Stream,
        sample: Window,
        conditions: Tensor,
        seed: int,
        fabric: Fabric | None = None,
    ) -> None:
        device = torch.device("cpu") if fabric is None else fabric.device
        self._rank, self._processes = (
            (0, 1) if fabric is None else (fabric.global_rank, fabric.world_size)
        )
        self._surrogate, self._stream, self._seed = surrogate, stream, seed
        self._few, self._conditions = sample, conditions.to(device)
        self._transform = on_device(surrogate.transform, device)
        self._sample = InMemory(
            sample.features.to(device), sample.conditions.to(device), self._transform
        )
        self._device = device
        self._taken = 0
        self._windows: Iterator[Window] | None = None
        self._window, self._next = Window(sample.features[:0], sample.conditions[:0]), 0
        self.shape = tuple(sample.features.shape[1:])

    def to(self, fabric: Fabric) -> Streamed:
        """Return batches on the device and for the process of Fabric."""
        few, conditions = self._few, self._conditions
        return Streamed(self._surrogate, self._stream, few, conditions, self._seed, fabric)

    def draw(self, n: int, rng: Generator) -> Rows:  # noqa: ARG002 - the order is the reader's
        """Return the next ``n`` events of this process."""
        found: list[Window] = []
        missing = n
        while missing:
            if self._next == len(self._window.features):
                self._window, self._next = self._read(), 0
            some = slice(self._next, self._next + missing)
            part = Window(*(tensor[some] for tensor in self._window))
            found.append(part)
            self._next += len(part.features)
            missing -= len(part.features)
        self._taken += n
        features, conditions = (torch.cat(parts) for parts in zip(*found, strict=True))
        every = torch.arange(n, device=self._device)
        return Rows(features, every, conditions, self._transform)

    def sample(self, n: int, rng: Generator) -> Rows:
        """Return ``n`` events of those that the transforms were fitted to."""
        return self._sample.draw(n, rng)

    def conditions(self, n: int, rng: Generator) -> Tensor:
        """Return the encoded conditions of ``n`` events at random (n, conditions)."""
        return self._conditions[integers(len(self._conditions), n, rng, self._device)]

    def state(self) -> dict[str, Tensor]:
        """Return how many events all processes have taken."""
        return {"taken": torch.tensor(self._taken * self._processes)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on after as many events; of another number of processes, with another order."""
        self._taken = int(tensors["taken"]) // self._processes
        self._windows = None
        self._window = Window(*(tensor[:0] for tensor in self._window))
        self._next = 0

    def _read(self) -> Window:
        if self._windows is None:
            self._windows = self._begun()
        return next(self._windows)

    def _begun(self) -> Iterator[Window]:
        """Start the thread that reads from the place of the next event on."""
        places = places_of(self._stream, self._seed, self._rank, self._processes)
        skipped = self._taken
        place = next(places)
        while skipped >= place.events:
            skipped -= place.events
            place = next(places)
        ready: queue.Queue[Window | Exception] = queue.Queue()
        wanted, ended = threading.Semaphore(1), threading.Event()
        weakref.finalize(self, ended.set)
        arguments = self._surrogate, self._stream, place, places, self._device, ready, wanted, ended
        # no daemon: one that computes while the interpreter ends makes torch abort the process
        threading.Thread(target=_fill, args=arguments, name="events").start()
        return _windows(ready, wanted, skipped)


def streamed(surrogate: Surrogate, stream: Stream, seed: int) -> Streamed:
    """Fit a surrogate to a stream's sample, and return batches of the stream."""
    features, conditions = surrogate.fit(stream.sample)
    few = BATCHES * EVENTS
    sample = Window(features[:few].clone(), conditions[:few].clone())
    encoded = surrogate.encoder(surrogate.columns(stream.known.conditions))
    return Streamed(surrogate, stream, sample, encoded, seed)


def places_of(stream: Stream, seed: int, rank: int, processes: int) -> Iterator[_Place]:
    """Yield the windows of a process without end, epoch after epoch.

    Where there are fewer blocks than processes, each process has all of them.
    """
    n = len(stream.source)
    size = LARGEST_BLOCK
    while size > SMALLEST_BLOCK and size * BLOCKS * numbers_of(stream.detector) > WINDOW_NUMBERS:
        size //= 2
    starts = np.arange(0, n, size)
    events = np.add.reduceat(~stream.left_out, starts, dtype=np.int64)
    epoch = 0
    while True:
        order = np.random.default_rng([seed, ORDER, epoch]).permutation(len(starts))
        own: IntArray = order[rank::processes] if len(starts) >= processes else order
        for first in range(0, len(own), BLOCKS):
            chosen = own[first : first + BLOCKS]
            blocks = tuple(slice(int(starts[b]), min(int(starts[b]) + size, n)) for b in chosen)
            if found := int(events[chosen].sum()):
                yield _Place(blocks, (seed, ORDER, epoch, rank, first), found)
        epoch += 1


class _ReadingEndedError(Exception):
    """Nobody reads any more."""


def _require_reader(ended: threading.Event) -> None:
    if ended.is_set() or not threading.main_thread().is_alive():  # the process is about to end
        raise _ReadingEndedError


def window_of(
    surrogate: Surrogate, stream: Stream, place: _Place, ended: threading.Event
) -> Window:
    """Read and transform the events of a window, in its order."""
    order = np.random.default_rng(place.seed).permutation(place.events)
    whole: Window | None = None
    start = 0
    for rows in place.blocks:
        _require_reader(ended)
        events = stream.take(rows)
        for first in range(0, len(events), AT_ONCE):
            part = Window(*surrogate.features(events.take(slice(first, first + AT_ONCE))))
            whole = whole or Window(*(t.new_empty((place.events, *t.shape[1:])) for t in part))
            where = torch.from_numpy(order[start : start + len(part.features)])
            for tensor, own in zip(whole, part, strict=True):
                tensor[where] = own
            start += len(part.features)
    assert whole is not None
    return whole


def _fill(
    surrogate: Surrogate,
    stream: Stream,
    place: _Place,
    places: Iterator[_Place],
    device: torch.device,
    ready: queue.Queue[Window | Exception],
    wanted: threading.Semaphore,
    ended: threading.Event,
) -> None:
    """Put windows into the queue, each when the one before was taken, until nobody takes them."""
    while True:
        found: Window | Exception
        try:
            while not wanted.acquire(timeout=POLLED):
                _require_reader(ended)
            with torch.no_grad():
                window = window_of(surrogate, stream, place, ended)
                found = Window(*(tensor.to(device) for tensor in window))
            del window
        except _ReadingEndedError:
            return
        except Exception as error:
            found = error
        ready.put(found)
        if isinstance(found, Exception):
            return
        del found
        place = next(places)


def _windows(
    ready: queue.Queue[Window | Exception], wanted: threading.Semaphore, skipped: int
) -> Iterator[Window]:
    """Yield windows; meanwhile the thread makes the next one, so that two are in memory."""
    while True:
        found = ready.get()
        wanted.release()
        if isinstance(found, Exception):
            raise found
        yield Window(*(tensor[skipped:] for tensor in found))
        skipped = 0
