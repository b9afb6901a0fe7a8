"""Worker processes that each hold one Geant4: how they start, how they end, why they died."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

Given = ParamSpec("Given")
Result = TypeVar("Result")
GRACE = 5.0
"""Seconds that workers have to finish their chunk after an error."""


class WorkerPool(ProcessPoolExecutor):
    """A pool of fresh processes that stay alive between chunks and keep quiet.

    What Geant4 prints goes to a log per worker, which is read only when a worker dies.

    Example:
        with WorkerPool(2) as pool:
            events = Geant4Simulator(detector, settings, executor=pool).simulate(conditions, 1)
    """

    def __init__(self, workers: int) -> None:
        self._submitted: WeakSet[Future[Any]] = WeakSet()
        self._logs = tempfile.TemporaryDirectory(prefix="simulacra-")
        context = get_context("spawn")  # Geant4 must not meet the parent's threads
        # Nothing is ever sent: workers leave when the other end is closed or its process is gone.
        self._life, self._lifeline = context.Pipe(duplex=False)
        super().__init__(
            workers,
            mp_context=context,
            initializer=start_worker,
            initargs=(self._logs.name, self._life),
        )

    def submit(
        self, fn: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Future[Result]:
        """Hand over work; see :meth:`concurrent.futures.Executor.submit`."""
        future = super().submit(fn, *args, **kwargs)
        self._submitted.add(future)
        return future

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Let the workers finish, or after an error (Ctrl-C is one) have them leave soon.

        They get a moment for the chunk that they are at: one that left amid sending a result would
        leave the pool waiting for the rest of it.
        """
        if kind is not None:
            unfinished = [future for future in self._submitted if not future.cancel()]
            wait_for(unfinished, timeout=GRACE)
            self._lifeline.close()
        return super().__exit__(kind, error, trace)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the workers finish their chunk and leave."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            self._lifeline.close()
            self._life.close()
            self._logs.cleanup()

    def last_words(self) -> str:
        """Return what Geant4 said of a fatal error, in one line; empty where it said nothing."""
        for log in sorted(Path(self._logs.name).glob("*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            fatal = text.rpartition("G4Exception-START")[2] if "G4Exception-START" in text else ""
            if "Fatal" in fatal or "abort" in fatal.lower():
                said = fatal.partition("G4Exception-END")[0].replace("-", " ")
                return " ".join(said.replace("*", " ").split())[:300]
        return ""


def start_worker(logs: str, life: Connection) -> None:
    """Prepare a worker process: output to a log, Ctrl-C left to the parent, no life without it."""
    log = os.open(Path(logs) / f"{os.getpid()}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, args=(life,), daemon=True).start()


def _leave_with_parent(life: Connection) -> None:
    """Leave when the parent is gone: a pool's workers would otherwise wait for work for ever."""
    wait([life])
    os._exit(1)
