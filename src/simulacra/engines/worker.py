"""The command of a job: make some chunks of a folder, each with a log of its own.

    python -m simulacra.engines.worker FOLDER 0-24,30 [--with-parent]

Chunks that are finished are left alone, so that the command can be given again at any time. One
that fails leaves the reason in its log, and the others are made all the same. ``--with-parent``
ends the process when its standard input ends, that is, when who started it is gone.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulacra.engines.chunk_file import write_chunk
from simulacra.engines.numbers import from_text
from simulacra.engines.parts import LOGS, chunk_path
from simulacra.engines.task import Task, open_task
from simulacra.errors import SimulacraError

WITH_PARENT = "--with-parent"


def make_chunks(folder: Path, numbers: list[int]) -> list[int]:
    """Make the chunks that are not there; return those that failed."""
    pending = [number for number in numbers if not chunk_path(folder, number).exists()]
    task: Task | None = None
    failed = []
    for number in pending:
        with _logged(log_path(folder, number)):
            try:
                task = task or open_task(folder)
                write_chunk(chunk_path(folder, number), *task(number))
            except Exception as error:  # whatever it is, it is that chunk's alone
                failed.append(number)
                known = isinstance(error, SimulacraError)
                os.write(2, (f"{error}\n" if known else traceback.format_exc()).encode())
        if task is None:  # the others would fail like this one
            return pending
    return failed


def log_path(folder: Path, number: int) -> Path:
    """Return the log of a chunk."""
    return folder / LOGS / f"chunk-{number:05d}.log"


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    """Send what the process prints, Geant4 included, to a log; remove it where that is nothing."""
    log.parent.mkdir(exist_ok=True)
    kept = [os.dup(stream) for stream in (1, 2)]
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, before in enumerate(kept, 1):
            os.dup2(before, stream)
            os.close(before)
        if not log.stat().st_size:
            log.unlink()


def _leave_with_parent() -> None:
    """Leave when standard input ends."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main(arguments: list[str]) -> int:
    """Make the chunks that the command line names; return whether one failed."""
    if WITH_PARENT in arguments:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    folder, numbers = (item for item in arguments if item != WITH_PARENT)
    return int(bool(make_chunks(Path(folder), from_text(numbers))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
