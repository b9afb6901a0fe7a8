"""Finished chunks of a job that is not finished: a folder beside the output."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.errors import SimulacraError
from simulacra.files.atomic import remove, whole_file
from simulacra.files.work_folder import workplace
from simulacra.fullsim.geant4 import ChunkResult

DAMAGE = (
    *(OSError, ValueError, KeyError, EOFError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What NumPy and the archive raise for a file that is cut off or has other bytes."""
SAID = "geant4"
"""The array that holds what is no response: Geant4's version and the facts, as JSON."""

MARK, CHUNKS = "job.json", "chunk-*.npz"


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
        with workplace(output.with_name(output.name + ".parts"), CHUNKS, MARK) as folder:
            parts = cls(folder, description)
            parts._sign()
            yield parts

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
        with whole_file(mark) as part:
            part.write_text(self.description, encoding="utf-8")

    def _has_chunks(self) -> bool:
        return any(self.folder.glob(CHUNKS))

    def remove(self) -> None:
        """Remove the folder."""
        remove(self.folder)

    def path(self, number: int) -> Path:
        """Return the file of a chunk."""
        return self.folder / f"chunk-{number:05d}.npz"

    def store(self, number: int, result: ChunkResult) -> None:
        """Write a finished chunk, whole or not at all."""
        with whole_file(self.path(number)) as part, part.open("wb") as file:
            said = json.dumps({"geant4": result.geant4, "facts": dict(result.facts)})
            arrays = {SAID: np.array(said), **result.response}
            np.savez_compressed(file, allow_pickle=False, **arrays)

    def load(self, number: int) -> ChunkResult:
        """Return a finished chunk.

        Raises:
            SimulacraError: the file is damaged.
        """
        try:
            with self.path(number).open("rb") as file, np.load(file) as content:
                response = {name: content[name] for name in content.files if name != SAID}
                said = json.loads(str(content[SAID]))
                return ChunkResult(response, said["geant4"], said["facts"])
        except DAMAGE:
            msg = f"{self.path(number)} is damaged: remove it and run the same command again"
            raise SimulacraError(msg) from None
