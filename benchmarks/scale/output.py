"""What a file costs beside the network alone: 100 000 showers of the shipped generator.

    python benchmarks/scale/output.py FOLDER [SHOWERS] [ROUNDS] [THREADS]

THREADS are those of the network; 0, the default, are all cores of the machine. Three things in
turn, ROUNDS times: the showers are made and dropped; made and written as ``generate -o`` does it;
made and written by h5py with gzip 6, as a plain program would. The time on the clock is compared
within a round, so that other work on the machine counts for all three. The files are read back by
h5py alone and must hold the same numbers. Writes ``output.json`` to the folder.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import h5py
import numpy as np
import torch

from simulacra.events import Events
from simulacra.files.memory import peak_memory_mb
from simulacra.io import write_pieces
from simulacra.simulators.generate import asked_conditions
from simulacra.simulators.load import load_simulator

SIMULATOR, ENERGY, SEED = "atlas-barrel-photons", "1GeV..65GeV", 1


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return seconds on the clock and of all cores that a call takes."""
    clock, cores = time.monotonic(), time.process_time()
    work()
    return {"clock": time.monotonic() - clock, "cores": time.process_time() - cores}


def plain(pieces: Iterator[Events], n: int, path: Path) -> None:
    """Write the showers with h5py's gzip 6."""
    with h5py.File(path, "w") as file:
        start = 0
        for events in pieces:
            showers = events["showers"]
            if not start:
                shape = (n, *showers.shape[1:])
                options = {"compression": "gzip", "compression_opts": 6, "shuffle": True}
                chunks = (1024, *shape[1:])
                data = file.create_dataset("showers", shape, "f4", chunks=chunks, **options)
            data[start : start + len(events)] = showers
            start += len(events)


def main(folder: Path, n: int = 100_000, rounds: int = 3, threads: int = 0) -> None:
    """Measure, compare the files and write the result."""
    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
    folder.mkdir(parents=True, exist_ok=True)
    simulator = load_simulator(SIMULATOR)
    conditions = asked_conditions(simulator, ENERGY, n, SEED)
    ours, theirs = folder / "ours.h5", folder / "plain.h5"

    def pieces() -> Iterator[Events]:
        return simulator.stream(conditions, SEED)

    calls: dict[str, Callable[[], object]] = {
        "network": lambda: sum(map(len, pieces())),
        "written": lambda: write_pieces(pieces(), n, ours),
        "gzip 6": lambda: plain(pieces(), n, theirs),
    }
    simulator.simulate(conditions.take(slice(2048)), SEED)
    taken = [{name: timed(call) for name, call in calls.items()} for _ in range(rounds)]
    with h5py.File(ours) as one, h5py.File(theirs) as other:
        same = all(
            np.array_equal(one["showers"][a : a + 10_000], other["showers"][a : a + 10_000])
            for a in range(0, n, 10_000)
        )
    ratios = {
        f"{name}, {kind}": median(r[name][kind] / r["network"][kind] for r in taken)
        for name in ("written", "gzip 6")
        for kind in ("clock", "cores")
    }
    result = {
        "command": f"python benchmarks/scale/output.py FOLDER {n} {rounds} {threads}",
        "simulator": SIMULATOR,
        "showers": n,
        "seed": SEED,
        "threads": torch.get_num_threads(),
        "load after": os.getloadavg()[0],
        "seconds": taken,
        "ratios to the network alone, median": ratios,
        "bytes": {"ours": ours.stat().st_size, "gzip 6": theirs.stat().st_size},
        "the same numbers": same,
        "peak memory, MB": peak_memory_mb(),
    }
    (folder / "output.json").write_text(json.dumps(result, indent=1) + "\n")
    for path in (ours, theirs):
        path.unlink()
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
