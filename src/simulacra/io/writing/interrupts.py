"""Ctrl-C while HDF5 writes: held back, and let through between the writes.

An exception of a signal inside HDF5's calls is swallowed, and HDF5 writes when it is not asked to,
too, such as when a data set is forgotten. So Ctrl-C waits as long as a file is open for writing,
except where :func:`interruptible` lets it through.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

Piece = TypeVar("Piece")


class _Held:
    """What becomes of Ctrl-C while it is held back: it is remembered for who had it before."""

    def __init__(self, before: Any) -> None:  # noqa: ANN401 - a handler, or a number for one
        self.before, self.came = before, False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C until the block has ended, or comes to :func:`interruptible`."""
    before = _handler()
    if before is None or isinstance(before, _Held):
        yield
        return
    held = _Held(before)
    signal.signal(signal.SIGINT, held)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held.came:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C through in a block inside :func:`uninterrupted`, in which HDF5 writes nothing."""
    held = _handler()
    if not isinstance(held, _Held):
        yield
        return
    signal.signal(signal.SIGINT, held.before)
    try:
        if held.came:
            held.came = False
            signal.raise_signal(signal.SIGINT)
        yield
    finally:
        signal.signal(signal.SIGINT, held)


def interruptibly(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces that Ctrl-C may interrupt while they are made."""
    source = iter(pieces)
    while True:
        with interruptible():
            piece = next(source, None)
        if piece is None:
            return
        yield piece


def _handler() -> Any:  # noqa: ANN401 - a handler, or a number for one
    """Return who has Ctrl-C; None where it is none of Python's, or none of this thread's."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.getsignal(signal.SIGINT)
