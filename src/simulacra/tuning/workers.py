"""The processes of a study: each takes trials until there are enough; dead ones are replaced."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulacra.errors import SimulacraError, one_line
from simulacra.fullsim.workers import start_worker
from simulacra.tuning.card import TuneCard
from simulacra.tuning.study import (
    CARD,
    Stage,
    attending,
    finished,
    next_trial,
    open_study,
    revive,
)
from simulacra.tuning.trial import Bench, confirmation_trial, search_trial

if TYPE_CHECKING:
    from optuna import Study

TRIALS: Mapping[Stage, Callable[..., None]] = MappingProxyType(
    {"search": search_trial, "confirmation": confirmation_trial}
)
PAUSE = 0.2
"""Seconds between looks at the study, while others work."""
DEATHS = 3
"""Deaths of processes, for each worker, after which a study is given up."""
OnChange = Callable[["Study"], None]


def work(
    bench: Bench,
    stage: Stage,
    wanted: int,
    number: int = 0,
    on_change: OnChange = lambda _: None,
) -> None:
    """Do trials in this process until as many as wanted are done or running."""
    study = open_study(bench.folder, bench.card, stage, bench.identity, number)
    with attending(bench.folder) as name:
        while (trial := next_trial(bench.folder, study, wanted, name)) is not None:
            TRIALS[stage](bench, study, trial, name)
            on_change(study)


def work_together(
    bench: Bench, stage: Stage, wanted: int, workers: int, on_change: OnChange
) -> None:
    """Do trials in several processes until all are done.

    Raises:
        SimulacraError: processes died again and again.
    """
    study = open_study(bench.folder, bench.card, stage, bench.identity)
    with tempfile.TemporaryDirectory(prefix="simulacra-") as logs, _Team(bench, logs) as team:
        for number in range(workers):
            team.start(stage, wanted, number)
        while team.members:
            time.sleep(PAUSE)
            died = team.part_with_those_who_left()
            if died:
                revive(bench.folder, study)
            for number in died:
                if team.deaths > DEATHS * workers:
                    raise SimulacraError(team.last_words())
                team.start(stage, wanted, number)
            on_change(study)
    if len(finished(study)) < wanted:  # what a process that died last was at
        work(bench, stage, wanted, on_change=on_change)


class _Team:
    """Processes that leave when this one does."""

    def __init__(self, bench: Bench, logs: str) -> None:
        self._context = get_context("spawn")  # torch must not meet the parent's threads
        self._life, self._lifeline = self._context.Pipe(duplex=False)
        self._folder, self._logs = bench.folder, logs
        self.members: dict[int, BaseProcess] = {}
        self.deaths = 0

    def __enter__(self) -> _Team:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.members.values():
            process.terminate()
        for process in self.members.values():
            process.join()
        self._lifeline.close()
        self._life.close()

    def start(self, stage: Stage, wanted: int, number: int) -> None:
        """Start a process."""
        arguments = (self._logs, self._life, str(self._folder), stage, wanted, number)
        self.members[number] = self._context.Process(target=_begin, args=arguments)
        self.members[number].start()

    def part_with_those_who_left(self) -> list[int]:
        """Return the numbers of the processes that died since the last look."""
        left = {n: p for n, p in self.members.items() if p.exitcode is not None}
        for number, process in left.items():
            process.join()
            del self.members[number]
        died = [number for number, process in left.items() if process.exitcode]
        self.deaths += len(died)
        return died

    def last_words(self) -> str:
        """Return what the processes wrote last before they died."""
        texts = [p.read_text(errors="replace").split("\n") for p in Path(self._logs).glob("*.log")]
        lines = [line for text in texts for line in text if line.strip()]
        said = one_line(lines[-1]) if lines else "killed, or out of memory"
        return f"{self.deaths} workers died: {said}"


def _begin(
    logs: str, life: Connection, folder: str, stage: Stage, wanted: int, number: int
) -> None:
    """Do trials in a process of a team."""
    start_worker(logs, life)
    one_thread()
    path = Path(folder)
    work(Bench(TuneCard.load(path / CARD), path), stage, wanted, number + 1)


def one_thread() -> None:
    """Compute on one thread in this process, but where the environment states another number."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
