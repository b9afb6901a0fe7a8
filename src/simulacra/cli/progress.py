"""How long work looks: a bar on a terminal, plain lines where the output is redirected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from simulacra.cli.terminal import errors

if TYPE_CHECKING:
    from rich.progress import Progress

    from simulacra.events import Events
    from simulacra.files.progress import OnProgress

PATIENCE = 5.0
"""Seconds in which a redirected command prints no phase: short work prints its outcome alone."""
EVERY = 30.0
"""Seconds between plain lines on one phase."""
MEMORY = 3600.0
"""Seconds that a bar looks back on to estimate the time left."""


class Display(Protocol):
    """What commands give to the functions they call."""

    def on_progress(self, phase: str, done: int, total: int) -> None:
        """Show how much of a phase is done."""

    def on_evaluation(self, row: Mapping[str, float], best: Mapping[str, float]) -> None:
        """Show an evaluation of a training, and the best one so far."""


@contextmanager
def display() -> Iterator[Display]:
    """Show progress on stderr: as a bar where that is a terminal that can draw one."""
    if not errors.is_terminal or errors.is_dumb_terminal:
        yield Lines()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        speed_estimate_period=MEMORY,
    ) as progress:
        yield Bar(progress)


class Bar:
    """One bar, which starts anew where a phase begins at zero."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)
        self._last = ("", 0, 0)

    def on_progress(self, phase: str, done: int, total: int) -> None:
        """Show how much of a phase is done."""
        if _begins(self._last, phase, done, total):
            self._progress.reset(self._task, total=total, completed=done, description=phase)
        else:
            self._progress.update(self._task, completed=done, total=total, description=phase)
        self._last = (phase, done, total)

    def on_evaluation(self, row: Mapping[str, float], best: Mapping[str, float]) -> None:
        """Print an evaluation above the bar."""
        _print(_evaluation(self._last, row, best))


class Lines:
    """A line where a phase begins, and one now and then with the time left; none in short work.

    Args:
        clock: returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = ("", 0, 0)
        self._began = (0.0, 0)
        self._started = self._printed = clock()

    def on_progress(self, phase: str, done: int, total: int) -> None:
        """Print the phase where it is new, or how much of it is done."""
        now = self._clock()
        if _begins(self._last, phase, done, total):
            self._began = (now, done)
        if phase != self._last[0]:
            if now - self._started >= PATIENCE:
                self._print(phase)
        elif done < total and now - self._printed >= EVERY:
            self._print(f"{phase}: {done} of {total}{self._left(done, total)}")
        self._last = (phase, done, total)

    def on_evaluation(self, row: Mapping[str, float], best: Mapping[str, float]) -> None:
        """Print an evaluation."""
        total = self._last[2]
        self._print(_evaluation(self._last, row, best) + self._left(int(row["step"]), total))

    def _left(self, done: int, total: int) -> str:
        """Return the time left as the end of a line; nothing where it is not known."""
        start, first = self._began
        if done <= first or done >= total:
            return ""
        return f", {duration((self._clock() - start) / (done - first) * (total - done))} left"

    def _print(self, line: str) -> None:
        _print(line)
        self._printed = self._clock()


def duration(seconds: float) -> str:
    """Return a time in words.

    Example:
        >>> [duration(t) for t in (3.2, 90, 7000)]
        ['3 s', '2 min', '1.9 h']
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _begins(last: tuple[str, int, int], phase: str, done: int, total: int) -> bool:
    """Return whether a report begins a count; phases of one count go on with its numbers."""
    before, reached, of = last
    return total != of or done < reached or (phase != before and done == 0)


def _evaluation(
    last: tuple[str, int, int], row: Mapping[str, float], best: Mapping[str, float]
) -> str:
    from simulacra.training.journal import described

    return f"step {row['step']:.0f} of {last[2]}: {described(row, best)}"


def _print(line: str) -> None:
    errors.print(line, highlight=False)


def counted(
    phase: str, pieces: Iterator[Events], n: int, on_progress: OnProgress
) -> Iterator[Events]:
    """Yield the pieces and report how many of ``n`` events have been passed on."""
    done = 0
    on_progress(phase, done, n)
    for events in pieces:
        yield events
        done += len(events)
        on_progress(phase, done, n)
