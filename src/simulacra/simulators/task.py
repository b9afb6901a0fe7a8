"""The chunks of ``generate`` as other machines make them: one series of events each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulacra.conditions import Conditions
from simulacra.datasets.shipped import simulator_folder
from simulacra.engines.task import Made, Task
from simulacra.errors import SimulatorError
from simulacra.io.datasets import opened, read_numbers
from simulacra.simulators.load import load_simulator
from simulacra.statistics.series import SERIES, seed_of

TASK = "generate"


def arguments_of(simulator: str | Path, n: int, seed: int) -> dict[str, Any]:
    """Return what the makers of the chunks need beside the conditions; all of them check it."""
    place = simulator_folder(simulator)
    where = str(place.resolve()) if place.exists() else str(simulator)
    return {"simulator": where, "sha256": content_digest(place), "n": n, "seed": seed}


def content_digest(place: Path) -> str:
    """Return the SHA-256 of a simulator's file or files; empty for one of another package."""
    files = sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]
    digest = hashlib.sha256()
    for path in files:
        if not path.is_file():
            return ""
        digest.update(f"{path.name} ".encode() + path.read_bytes())
    return digest.hexdigest()


def open_task(arguments: Mapping[str, Any], inputs: Path) -> Task:
    """Return what generates the series of a number in this process.

    Args:
        arguments: those of :func:`arguments_of`.
        inputs: the file with the conditions.

    Raises:
        SimulatorError: the simulator was changed since the job began.
    """
    if content_digest(Path(arguments["simulator"])) != arguments["sha256"]:
        msg = f"{arguments['simulator']} is not what it was when the job began"
        raise SimulatorError(msg)
    simulator, n = load_simulator(arguments["simulator"]), int(arguments["n"])

    def made(number: int) -> Made:
        rows = slice(number * SERIES, min((number + 1) * SERIES, n))
        with opened(inputs) as file:
            columns = {name: read_numbers(file, name, rows) for name in file}
        seed = seed_of(arguments["seed"], number)
        events = simulator.simulate(Conditions(columns), seed, extrapolate=True)  # as was checked
        return events.response, {}

    return made
