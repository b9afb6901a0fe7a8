"""Signals by which a batch system takes a training's machine away: noted, and acted on in time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

SIGNALS = ("SIGTERM", "SIGUSR1")
"""Those that SLURM and HTCondor send before they end a job."""
ASKED = 20
"""Steps after which several processes tell each other whether one of them was signalled."""


class Stop:
    """Whether a training was asked to stop.

    Attributes:
        signal: the name of the last signal that arrived; empty where none did.
    """

    def __init__(self) -> None:
        self.signal = ""

    def note(self, number: int, _: FrameType | None) -> None:
        """Handle a signal."""
        self.signal = signal.Signals(number).name

    def asked(self, fabric: Fabric, step: int) -> bool:
        """Return whether all processes stop after this step: each of them returns the same."""
        if fabric.world_size == 1:
            return bool(self.signal)
        if step % ASKED:
            return False
        noted = torch.tensor(float(bool(self.signal)), device=fabric.device)
        return bool(fabric.all_reduce(noted, reduce_op="max"))


@contextmanager
def noted_signals() -> Iterator[Stop]:
    """Note the signals of a batch system in place of ending at once, while the block runs.

    Outside of a program's main thread nothing is noted, since Python handles signals there only.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, stop.note) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
