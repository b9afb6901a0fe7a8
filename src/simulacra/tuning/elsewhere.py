"""The workers of a study on an engine's machines, watched from here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from simulacra.engines import Engine, Parts
from simulacra.errors import SimulacraError
from simulacra.tuning.study import Stage, finished, open_study, revive
from simulacra.tuning.task import TASK, arguments_of
from simulacra.tuning.trial import Bench
from simulacra.tuning.workers import DEATHS, OnChange

if TYPE_CHECKING:
    from optuna import Study

LOOK = 2.0
"""Seconds between looks at the study."""


def work_elsewhere(
    bench: Bench, stage: Stage, wanted: int, workers: int, engine: Engine, on_change: OnChange
) -> None:
    """Do trials on an engine's machines until all are done.

    A worker is a chunk of a job: it ends when as many trials as wanted are done or running. Trials
    of workers that died are tried again by further ones.

    Raises:
        SimulacraError: workers died again and again.
    """
    study = open_study(bench.folder, bench.card, stage, bench.identity)
    job = {"study": bench.identity, "stage": stage}
    for _ in range(1 + DEATHS):
        revive(bench.folder, study)
        left = wanted - len(finished(study))
        if left <= 0:
            return
        with Parts.of(job, bench.folder / stage) as parts, _watched(study, on_change):
            parts.describe(TASK, arguments_of(bench, stage, wanted), {})
            for _ in engine.run(parts, range(min(workers, left))):
                pass
            parts.remove()
        on_change(study)
    if len(finished(study)) < wanted:
        msg = f"workers died in {1 + DEATHS} rounds; the same command goes on"
        raise SimulacraError(msg)


@contextmanager
def _watched(study: Study, on_change: OnChange) -> Iterator[None]:
    """Look at the study now and then, beside the block."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK):
            on_change(study)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
