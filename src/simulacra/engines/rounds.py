"""Chunks started again where they did not come back, and told of where they never do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from simulacra.engines.parts import Parts
from simulacra.engines.worker import log_path
from simulacra.errors import SimulacraError, printable

LAST = 160
"""Characters of a log that an error shows."""
PAUSE = 1.0
"""Seconds between two looks at the folder, at least."""
JOB_LOGS = "job-*.log"
"""Logs of jobs that ended before their first chunk."""


def rounds(
    parts: Parts,
    numbers: Sequence[int],
    once: Callable[[list[int]], Iterator[None]],
    retries: int,
) -> Iterator[int]:
    """Yield chunks as their files appear, started as often as it takes.

    Args:
        parts: where the files appear.
        numbers: of the chunks.
        once: starts chunks, yields now and then, and ends when no machine works on them.
        retries: how often chunks are started again without any of them having been made.

    Raises:
        SimulacraError: some are not made; the message has the last lines of one's log.
    """
    pending, tried = parts.missing(numbers), 0
    while pending and tried <= retries:
        before, looked = len(pending), time.monotonic()
        for _ in once(pending):
            if time.monotonic() - looked < PAUSE:
                continue
            pending, made = _divided(parts, pending)
            yield from made
            looked = time.monotonic()
        pending, made = _divided(parts, pending)
        yield from made
        tried = 0 if len(pending) < before else tried + 1
    if pending:
        raise SimulacraError(failure(parts, pending, tried))


def _divided(parts: Parts, pending: list[int]) -> tuple[list[int], list[int]]:
    """Return the chunks that are not there, and those that are."""
    missing = parts.missing(pending)
    return missing, sorted(set(pending).difference(missing))


def failure(parts: Parts, pending: Sequence[int], tried: int) -> str:
    """Return why chunks were not made: the end of the first log of one that has one."""
    what = f"{len(pending)} chunks were not made, started {tried} times"
    logs = [log_path(parts.folder, number) for number in pending]
    jobs = sorted(log_path(parts.folder, 0).parent.glob(JOB_LOGS), reverse=True)
    for log in [*logs, *jobs]:
        if log.is_file() and (text := log.read_text(encoding="utf-8", errors="replace").strip()):
            return f"{what}; {log.name} ends: {printable(text)[-LAST:]}"
    return f"{what}; none left a log: killed, or out of memory or time"
