"""Chunks as array jobs of SLURM; nodes need the folder of the output and no open port."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from simulacra.engines.job_list import LIST, command_of, write_list
from simulacra.engines.parts import LOGS, Parts
from simulacra.engines.rounds import rounds
from simulacra.engines.settings import BatchSettings
from simulacra.errors import MissingDependencyError, SimulacraError
from simulacra.files.small_files import read_text

SHORTEST, LONGEST = 0.5, 15.0
"""Seconds between two looks at the queue, which grow."""
SCRIPT, QUEUED = "jobs-slurm.sh", "queued-slurm.txt"
UNKNOWN = "Invalid job id"
"""What squeue prints of a job that ended a while ago."""


class SlurmEngine:
    """SLURM, by its commands ``sbatch``, ``squeue`` and ``scancel``.

    Args:
        path: a YAML file of :class:`~simulacra.engines.settings.BatchSettings`.

    Raises:
        CardError: the file cannot be used.
        MissingDependencyError: this machine has no SLURM.
    """

    def __init__(self, path: str) -> None:
        self._settings = BatchSettings.load(path)
        if shutil.which("sbatch") is None:
            msg = "--executor slurm needs SLURM's commands: there is no sbatch here"
            raise MissingDependencyError(msg)

    def run(self, parts: Parts, numbers: Sequence[int]) -> Iterator[int]:
        """Yield the numbers of chunks as they are made; see :class:`~.engine.Engine`."""
        once = partial(self._once, parts.folder)
        yield from rounds(parts, numbers, once, self._settings.retries)

    def _once(self, folder: Path, pending: list[int]) -> Iterator[None]:
        """Have chunks made by an array job, or by the one that an earlier call left in the queue.

        Where this process is interrupted, so is the job; where it is killed, the job goes on.
        """
        job = _left_behind(folder) or self._submit(folder, pending)
        try:
            yield from _watched(job)
        except BaseException:
            subprocess.run(["scancel", job], capture_output=True, check=False)
            raise
        finally:
            (folder / QUEUED).unlink(missing_ok=True)

    def _submit(self, folder: Path, pending: list[int]) -> str:
        jobs = write_list(self._settings, folder, pending)
        (folder / SCRIPT).write_text(script(self._settings, folder, jobs), encoding="utf-8")
        job = _asked("sbatch", "--parsable", str(folder / SCRIPT)).partition(";")[0].strip()
        (folder / QUEUED).write_text(job, encoding="utf-8")
        return job


def script(settings: BatchSettings, folder: Path, jobs: int) -> str:
    """Return the script of an array of jobs, each with a line of the list of chunks."""
    place = shlex.quote(str(folder))
    stated = {
        "partition": settings.partition,
        "time": settings.time,
        "mem": settings.memory,
        "cpus-per-task": settings.cores,
        "array": f"1-{jobs}",
        "job-name": "simulacra",
        "output": shlex.quote(f"{folder / LOGS}/job-%a.log"),
        "open-mode": "truncate",
    }
    own = [f"--{name}={value}" for name, value in stated.items() if value is not None]
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {line}" for line in [*own, *settings.options]),
            *settings.setup,
            f'chunks=$(sed -n "${{SLURM_ARRAY_TASK_ID}}p" {place}/{LIST})',
            command_of(settings, folder, "$chunks"),
            "",
        ]
    )


def _left_behind(folder: Path) -> str | None:
    """Return the job of an earlier call that is in the queue, if there is one."""
    if not (folder / QUEUED).is_file():
        return None
    job = read_text(folder / QUEUED, SimulacraError).strip()
    return job if job and _is_queued(job) else None


def _watched(job: str) -> Iterator[None]:
    """Yield now and then until a job has left the queue."""
    pause = SHORTEST
    while _is_queued(job):
        yield
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST)


def _is_queued(job: str) -> bool:
    """Return whether a part of an array job waits or runs; a silent queue leaves it so."""
    run = subprocess.run(
        ["squeue", "--noheader", "--format=%i", "--jobs", job],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        return UNKNOWN not in run.stderr
    return bool(run.stdout.strip())


def _asked(*command: str) -> str:
    """Return what a command of SLURM prints.

    Raises:
        SimulacraError: it fails; the message has its own.
    """
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        msg = f"{command[0]} failed: {' '.join(run.stderr.split())}"
        raise SimulacraError(msg)
    return run.stdout
