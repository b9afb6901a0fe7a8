"""What the chunks of a job are: a row of a table, with the arguments that its folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simulacra.arrays import Array
from simulacra.engines.parts import INPUTS, TASK
from simulacra.errors import SimulacraError
from simulacra.files.entry_points import Table
from simulacra.files.small_files import read_text

Made = tuple[Mapping[str, Array], Mapping[str, Any]]
"""The arrays of a chunk, first axis the event, and JSON-like facts."""
Task = Callable[[int], Made]
"""Makes the chunk of a number; the same number gives the same chunk in any process."""

TASKS: Table[Callable[[Mapping[str, Any], Path], Task]] = Table(
    "simulacra.tasks",
    {
        "simulate": "simulacra.fullsim.task:open_task",
        "simulate-jets": "simulacra.fullsim.jets.job:open_task",
        "generate": "simulacra.simulators.task:open_task",
        "tune": "simulacra.tuning.task:open_task",
    },
)
"""Calls that prepare a task in a process: given its arguments, and the file of its inputs."""


def open_task(folder: Path) -> Task:
    """Return the task that :meth:`simulacra.engines.parts.Parts.describe` wrote down.

    Raises:
        SimulacraError: there is none in the folder, or it cannot be used.
    """
    try:
        said = json.loads(read_text(folder / TASK, SimulacraError))
        name, arguments = said["task"], said["arguments"]
    except (ValueError, KeyError, TypeError):
        msg = f"{folder / TASK} is damaged: remove {folder} and run the same command again"
        raise SimulacraError(msg) from None
    if name not in TASKS:
        msg = f"the Python of this job has no task {name!r}: it needs the packages of the main one"
        raise SimulacraError(msg)
    return TASKS[name](arguments, folder / INPUTS)
