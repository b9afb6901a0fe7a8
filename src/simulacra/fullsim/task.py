"""Geant4's chunks as other machines make them: from a folder, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulacra.detectors import parse_detector
from simulacra.engines.task import Made, Task
from simulacra.fullsim.geant4 import Chunk, run_chunk
from simulacra.fullsim.job import ENDS, SEEDS
from simulacra.fullsim.kinds import setup_of
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.setup import Primaries
from simulacra.fullsim.work import stored
from simulacra.io.datasets import opened, read_numbers


def open_task(arguments: Mapping[str, Any], inputs: Path) -> Task:
    """Return what simulates the chunk of a number in this process.

    Args:
        arguments: those of the :class:`Job`.
        inputs: the file with its arrays.
    """
    setup = setup_of(parse_detector(arguments["detector"], "the job's detector"))
    settings = Geant4Settings(**arguments["settings"])

    def made(number: int) -> Made:
        with opened(inputs) as file:
            ends = read_numbers(file, ENDS, slice(max(number - 1, 0), number + 1)).tolist()
            rows = slice(0 if number == 0 else ends[0], ends[-1])
            columns = {each.name: read_numbers(file, each.name, rows) for each in fields(Primaries)}
            seeds = read_numbers(file, SEEDS, slice(number, number + 1))
        return stored(run_chunk(Chunk(setup, settings, Primaries(**columns), seeds)))

    return made
