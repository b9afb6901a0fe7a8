"""Random numbers of a batch, drawn where the generator lives; several processes share a batch.

All processes draw the numbers of the whole batch from equal generators, and each keeps those of its
own rows. A batch therefore has the same noise, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Generator, Tensor


class SharedGenerator(Generator):
    """A generator whose batches are shared by several processes.

    Attributes:
        rank: the number of this process.
        processes: their number.
        parts: parts of a batch that are shared one by one.
    """

    rank: int = 0
    processes: int = 1
    parts: int = 1

    @contextmanager
    def in_parts(self, parts: int) -> Iterator[None]:
        """Let a batch consist of equal parts, each shared by all processes."""
        self.parts = parts
        try:
            yield
        finally:
            self.parts = 1


def normal(shape: Sequence[int], rng: Generator, device: torch.device | None = None) -> Tensor:
    """Return standard normal numbers, whose first axis is the events of this process.

    Args:
        shape: their shape.
        rng: where they are drawn, and on which device.
        device: where they are wanted; None for the generator's.
    """
    return _own(torch.randn(_whole(shape, rng), generator=rng, device=rng.device), rng, device)


def uniform(shape: Sequence[int], rng: Generator, device: torch.device | None = None) -> Tensor:
    """Return uniform numbers from 0 to 1; see :func:`normal`."""
    return _own(torch.rand(_whole(shape, rng), generator=rng, device=rng.device), rng, device)


def integers(high: int, n: int, rng: Generator, device: torch.device | None = None) -> Tensor:
    """Return ``n`` integers below ``high``; see :func:`normal`."""
    shape = _whole((n,), rng)
    return _own(torch.randint(high, shape, generator=rng, device=rng.device), rng, device)


def places(n: int, rng: Generator, device: torch.device | None = None) -> tuple[Tensor, int]:
    """Return the places (n,) of this process's events in the whole batch, and its size."""
    (size,) = _whole((n,), rng)
    return _own(torch.arange(size, device=rng.device), rng, device), size


def _whole(shape: Sequence[int], rng: Generator) -> tuple[int, ...]:
    processes = rng.processes if isinstance(rng, SharedGenerator) else 1
    return shape[0] * processes, *shape[1:]


def _own(drawn: Tensor, rng: Generator, device: torch.device | None) -> Tensor:
    """Return the rows of this process."""
    if isinstance(rng, SharedGenerator) and rng.processes > 1:
        each = drawn.view(rng.parts, rng.processes, -1, *drawn.shape[1:])
        drawn = each[:, rng.rank].flatten(0, 1)
    return drawn if device is None else drawn.to(device)
