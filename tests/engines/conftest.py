"""Tasks that cost nothing, in processes that import this module."""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from simulacra.engines.task import TASKS

ROOT = Path(__file__).parents[2]


def open_counting(arguments, inputs):
    """A chunk of a number is its square; it may die, as often as files say, or fail."""

    def made(number):
        if number == arguments.get("fails"):
            msg = "no square of this number"
            raise ValueError(msg)
        if number == arguments.get("dies"):
            mark = inputs.with_name(f"jobs-died-{len(list(inputs.parent.glob('jobs-died-*')))}")
            if len(list(inputs.parent.glob("jobs-died-*"))) < arguments["times"]:
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return {"square": np.full(3, number**2)}, {"number": number}

    return made


if "counting" not in TASKS:  # a worker has it by its entry point
    TASKS.register("counting", open_counting)


@pytest.fixture
def workers_know_the_task(monkeypatch, tmp_path):
    """Processes that import :mod:`simulacra` find the task, as if another package had added it."""
    package = tmp_path / "counting-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1\n")
    entry = "[simulacra.tasks]\ncounting = tests.engines.conftest:open_counting\n"
    (package / "entry_points.txt").write_text(entry)
    paths = [str(tmp_path), str(ROOT), *(path for path in sys.path if path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture
def described(tmp_path):
    """A call that makes the folder of a job, and its parts."""
    from simulacra.engines import Parts

    entered = []

    def make(**arguments):
        context = Parts.of({"job": json.dumps(arguments)}, tmp_path / "out.h5")
        parts = context.__enter__()
        entered.append(context)
        parts.describe("counting", arguments, {"inputs": np.arange(3)})
        return parts

    yield make
    for context in entered:
        context.__exit__(None, None, None)
