"""Chunks as jobs of HTCondor: the submit file is written, the user hands it in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulacra.engines.job_list import LIST, command_of, write_list
from simulacra.engines.parts import LOGS, Parts
from simulacra.engines.settings import BatchSettings
from simulacra.errors import CardError, SimulacraError

SCRIPT, QUEUED = "jobs-htcondor.sh", "queued-htcondor.sub"


class HTCondorEngine:
    """HTCondor, whose nodes see the folder of the output.

    The first call writes the submit file and ends; the same call merges when the jobs are done, or
    writes the file anew for the chunks that they have not made.

    Args:
        path: a YAML file of :class:`~simulacra.engines.settings.BatchSettings`.

    Raises:
        CardError: the file cannot be used.
    """

    def __init__(self, path: str) -> None:
        self._settings = BatchSettings.load(path)
        for name in ("partition", "time"):
            if getattr(self._settings, name) is not None:
                msg = f"{path}: HTCondor has no {name}; give a line of its own in options"
                raise CardError(msg)

    def run(self, parts: Parts, numbers: Sequence[int]) -> Iterator[int]:
        """Yield the chunks that are there; see :class:`~.engine.Engine`.

        Raises:
            SimulacraError: some are not there; the message names the command that has them made.
        """
        pending = parts.missing(numbers)
        yield from sorted(set(numbers).difference(pending))
        if not pending:
            return
        folder, settings = parts.folder, self._settings
        write_list(settings, folder, pending)
        (folder / SCRIPT).write_text(script(settings, folder), encoding="utf-8")
        (folder / SCRIPT).chmod(0o755)
        (folder / QUEUED).write_text(submit_file(settings, folder), encoding="utf-8")
        msg = (
            f"{len(pending)} chunks are to be made: condor_submit {shlex.quote(str(folder))}/"
            f"{QUEUED}, and when the jobs are done give the same command again"
        )
        raise SimulacraError(msg)


def script(settings: BatchSettings, folder: Path) -> str:
    """Return what a job runs; its argument are the chunks."""
    return "\n".join(["#!/bin/bash", *settings.setup, command_of(settings, folder, "$1"), ""])


def submit_file(settings: BatchSettings, folder: Path) -> str:
    """Return the submit file: one job for each line of the list of chunks."""
    log = f"{folder / LOGS}/job-$(Process).log"
    stated = {
        "executable": folder / SCRIPT,
        "arguments": "$(chunks)",
        "getenv": True,
        "should_transfer_files": "NO",
        "output": log,
        "error": log,
        "log": f"{folder / LOGS}/job-htcondor.log",
        "request_cpus": settings.cores,
        "request_memory": settings.memory,
        "max_retries": settings.retries,
    }
    own = [f"{name} = {value}" for name, value in stated.items() if value is not None]
    return "\n".join([*own, *settings.options, f"queue chunks from {folder / LIST}", ""])
