"""A worker of a study as a chunk of a job, so that an engine starts it on its machines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulacra.engines.task import Made, Task
from simulacra.tuning.card import TuneCard
from simulacra.tuning.study import CARD, Stage, finished, open_study, require_optuna, revive
from simulacra.tuning.trial import Bench
from simulacra.tuning.workers import one_thread, work

TASK = "tune"


def arguments_of(bench: Bench, stage: Stage, wanted: int) -> dict[str, Any]:
    """Return what a worker needs: the study, and the folder that the card's paths start from."""
    return {
        "study": str(bench.folder.absolute()),
        "home": str(Path.cwd()),
        "stage": stage,
        "wanted": wanted,
    }


def open_task(arguments: Mapping[str, Any], _: Path) -> Task:
    """Return what does trials in this process, which it moves to the folder of the command.

    Args:
        arguments: those of :func:`arguments_of`.

    Raises:
        MissingDependencyError: this machine has no Optuna.
        SimulacraError: the study cannot be opened.
    """
    require_optuna()
    os.chdir(arguments["home"])
    one_thread()
    folder, stage, wanted = Path(arguments["study"]), arguments["stage"], arguments["wanted"]
    bench = Bench(TuneCard.load(folder / CARD), folder)

    def made(number: int) -> Made:
        study = open_study(folder, bench.card, stage, bench.identity)
        revive(folder, study)  # what a worker that died was at
        work(bench, stage, wanted, number + 1)
        return {}, {"finished": len(finished(study))}

    return made
