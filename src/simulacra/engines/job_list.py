"""The jobs of a batch system: a list with the chunks of each, and the command that makes them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from simulacra.engines.numbers import as_text, divided
from simulacra.engines.parts import LOGS
from simulacra.engines.settings import BatchSettings

LIST = "jobs-list.txt"


def write_list(settings: BatchSettings, folder: Path, pending: Sequence[int]) -> int:
    """Write the chunks of each job as a line of the list; return the number of jobs."""
    shares = divided(pending, settings.most_jobs, settings.chunks_per_job)
    (folder / LOGS).mkdir(exist_ok=True)
    (folder / LIST).write_text("".join(f"{as_text(s)}\n" for s in shares), encoding="utf-8")
    return len(shares)


def command_of(settings: BatchSettings, folder: Path, chunks: str) -> str:
    """Return the shell command of a job; ``chunks`` is how the shell finds those of the job."""
    python, place = shlex.quote(settings.interpreter), shlex.quote(str(folder))
    return f'exec {python} -m simulacra.engines.worker {place} "{chunks}"'
