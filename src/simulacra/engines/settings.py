"""What a batch system is told of the jobs: a YAML file of the user's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Self

from pydantic import Field

from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.files.small_files import read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml


class BatchSettings(Frozen):
    """Jobs of a batch system.

    Attributes:
        partition: the queue; None: the system's default.
        time: limit of a job, in the system's own form: ``02:00:00``; HTCondor takes none.
        memory: of a job: ``4G``.
        cores: of a job.
        chunks_per_job: chunks that a job makes one after another, at least.
        most_jobs: jobs that are handed in together; SLURM takes 1000 where nobody has raised it.
        retries: how often jobs are started again where none of them has made a chunk.
        setup: lines of shell that a job begins with, such as ``module load python``.
        options: further lines of the system's own: ``--account=atlas``, ``+JobFlavour = "long"``.
        python: the interpreter of the jobs; None: that of this process.
    """

    partition: str | None = None
    time: str | None = None
    memory: str | None = None
    cores: int = Field(1, ge=1)
    chunks_per_job: int = Field(1, ge=1)
    most_jobs: int = Field(1000, ge=1)
    retries: int = Field(2, ge=0)
    setup: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    python: str | None = None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the file.

        Raises:
            CardError: it is missing, or a line of it cannot be used.
        """
        text = read_text(Path(path), CardError)
        with one_line_errors(str(path), CardError):
            return cls.model_validate(parse_yaml(text) or {})

    @property
    def interpreter(self) -> str:
        """The Python of the jobs."""
        return self.python or sys.executable
