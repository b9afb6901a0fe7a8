"""Geant4's chunks as other machines make them: from a folder, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.arrays import Array
from simulacra.detectors import parse_detector
from simulacra.engines.task import Made, Task
from simulacra.fullsim.geant4 import Chunk, ChunkResult, run_chunk
from simulacra.fullsim.job import Job
from simulacra.fullsim.kinds import setup_of
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.setup import Primaries
from simulacra.io.datasets import opened, read_numbers

TASK = "simulate"
SEEDS, ENDS = "seeds", "ends"


def arguments_of(job: Job) -> dict[str, Any]:
    """Return what the makers of a job's chunks need beside arrays."""
    settings = job.settings.model_dump(mode="json")
    return {"detector": job.detector.to_yaml(), "settings": settings}


def inputs_of(job: Job) -> dict[str, Array]:
    """Return the particles of a job, and for each chunk its seeds and its last row."""
    chunks = [chunk.primaries.columns for chunk in job.chunks]
    columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    ends = np.array([rows.stop for rows in job.bounds])
    return {**columns, SEEDS: np.concatenate([chunk.seeds for chunk in job.chunks]), ENDS: ends}


def open_task(arguments: Mapping[str, Any], inputs: Path) -> Task:
    """Return what simulates the chunk of a number in this process.

    Args:
        arguments: those of :func:`arguments_of`.
        inputs: the file with the arrays of :func:`inputs_of`.
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


def stored(result: ChunkResult) -> Made:
    """Return a chunk's result as arrays and facts."""
    return result.response, {"geant4": result.geant4, "facts": dict(result.facts)}
