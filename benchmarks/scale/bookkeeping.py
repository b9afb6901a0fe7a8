"""What 10 000 chunks cost that do nothing: their files, logs, digests, the looks and the merge.

    python benchmarks/scale/bookkeeping.py FOLDER [CHUNKS]

Chunks of one detector cell's worth of numbers are made by the worker's own code in this process, as
25 a command, watched and read back as a job does. Times are processor time and the time on the
clock for each chunk. Writes ``bookkeeping.json`` to the folder.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.engines import Parts
from simulacra.engines.numbers import divided
from simulacra.engines.rounds import rounds
from simulacra.engines.task import TASKS, Made, Task
from simulacra.engines.worker import make_chunks

EACH = 25


def open_nothing(_arguments: Mapping[str, Any], _inputs: Path) -> Task:
    """Return a task that does nothing."""

    def made(number: int) -> Made:
        return {"showers": np.full((3, 1), number, np.float32)}, {}

    return made


class Clock:
    """Times of the phases, one after another."""

    def __init__(self) -> None:
        self.phases: dict[str, dict[str, float]] = {}
        self._last = time.process_time(), time.monotonic()

    def ends(self, phase: str, chunks: int) -> None:
        """Record what a phase took for each chunk, ms."""
        now = time.process_time(), time.monotonic()
        cpu, clock = (1e3 * (b - a) / chunks for a, b in zip(self._last, now, strict=True))
        self.phases[phase] = {"processor, ms": cpu, "clock, ms": clock}
        self._last = now


def main(folder: Path, chunks: int = 10_000) -> None:
    """Make the chunks, read them, and write the times."""
    folder.mkdir(parents=True, exist_ok=True)
    TASKS.register("nothing", open_nothing)
    with Parts.of({"job": chunks}, folder / "nothing.h5") as parts:
        parts.describe("nothing", {}, {"inputs": np.arange(chunks)})

        def once(pending: list[int]) -> Iterator[None]:
            for share in divided(pending, chunks, EACH):
                make_chunks(parts.folder, list(share))
                yield

        clock = Clock()
        assert len(list(rounds(parts, range(chunks), once, 0))) == chunks
        clock.ends("made and watched", chunks)
        for number in range(chunks):
            assert parts.load(number)[0]["showers"][0, 0] == number
        clock.ends("read and checked", chunks)
        parts.remove()
        clock.ends("removed", chunks)
    result = {
        "command": f"python benchmarks/scale/bookkeeping.py FOLDER {chunks}",
        "chunks": chunks,
        "for each chunk": clock.phases,
        "load": os.getloadavg()[0],
    }
    (folder / "bookkeeping.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
