"""Finished chunks of a job that is not finished: a folder beside the output."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulacra.arrays import Array
from simulacra.engines.chunk_file import read_chunk, write_chunk
from simulacra.errors import SimulacraError
from simulacra.files.atomic import remove_whole, whole_file, write_whole_text
from simulacra.files.work_folder import workplace

MARK, CHUNKS = "job.json", "chunk-*.h5"
TASK, INPUTS, LOGS = "task.json", "inputs.h5", "logs"
QUEUED = ("jobs-*", "queued-*")
"""What engines leave: lists of work, scripts, and the jobs that wait for a machine."""


def chunk_path(folder: Path, number: int) -> Path:
    """Return the file of a chunk."""
    return folder / f"chunk-{number:05d}.h5"


@dataclass(frozen=True, slots=True)
class Parts:
    """The folder of a job's finished chunks, beside the output.

    Attributes:
        folder: the folder.
        description: the job, as ``job.json`` in the folder has it.
    """

    folder: Path
    description: str

    @classmethod
    @contextmanager
    def of(cls, identity: Mapping[str, Any], output: Path) -> Iterator[Parts]:
        """Yield the folder, made or found, for exactly this job; no other process works in it.

        Args:
            identity: what tells the job from others.
            output: what the job is to write.

        Raises:
            SimulacraError: it holds the chunks of another job, or another process works there.
        """
        description = json.dumps(identity, indent=1, sort_keys=True)
        known = (MARK, TASK, INPUTS, LOGS, *QUEUED)
        with workplace(cls.place(output), (CHUNKS, QUEUED[1]), *known) as folder:
            parts = cls(folder, description)
            parts._sign()
            yield parts

    @staticmethod
    def place(output: Path) -> Path:
        """Return the folder beside an output; other machines have other working folders."""
        return output.absolute().with_name(output.name + ".parts")

    def _sign(self) -> None:
        """Say in the folder whose it is; where another job has left no chunks, it is ours.

        Raises:
            SimulacraError: it holds the chunks of another job.
        """
        mark = self.folder / MARK
        if mark.exists():
            if mark.read_text(encoding="utf-8") == self.description:
                return
            if self._has_chunks():
                msg = (
                    f"{self.folder} holds finished chunks of another job: "
                    "continue that job or remove the folder"
                )
                raise SimulacraError(msg)
        write_whole_text(mark, self.description)

    def _has_chunks(self) -> bool:
        return any(self.folder.glob(CHUNKS))

    def remove(self) -> None:
        """Remove the folder."""
        remove_whole(self.folder)

    def path(self, number: int) -> Path:
        """Return the file of a chunk."""
        return chunk_path(self.folder, number)

    def missing(self, numbers: Sequence[int]) -> list[int]:
        """Return those of the chunks that are not finished."""
        there = {path.name for path in self.folder.glob(CHUNKS)}
        return [number for number in numbers if self.path(number).name not in there]

    def store(self, number: int, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
        """Write a finished chunk, whole or not at all."""
        write_chunk(self.path(number), arrays, facts)

    def load(self, number: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the arrays and the facts of a finished chunk.

        Raises:
            SimulacraError: the file is damaged.
        """
        return read_chunk(self.path(number))

    def describe(
        self, task: str, arguments: Mapping[str, Any], inputs: Mapping[str, Array]
    ) -> None:
        """Write down what the chunks' makers need, for :func:`simulacra.engines.task.open_task`.

        Args:
            task: a row of :data:`simulacra.engines.task.TASKS`.
            arguments: what JSON holds.
            inputs: arrays.
        """
        write_chunk(self.folder / INPUTS, inputs, {})
        with whole_file(self.folder / TASK) as part:
            said = {"task": task, "arguments": dict(arguments)}
            part.write_text(json.dumps(said), encoding="utf-8")
