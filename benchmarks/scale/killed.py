"""Chunks on an engine whose workers are killed, against the same run in this process.

    python benchmarks/scale/killed.py FOLDER simulate|generate dask|slurm [SEED]

40 chunks are made on one machine, then by the engine while three workers, drawn at random, are
killed with SIGKILL. ``simulate`` has Geant4 shoot photons of 1 GeV at ``atlas-barrel``;
``generate`` asks the shipped generator, exported to ONNX. Dask is a cluster of two local processes;
SLURM is the one that ``SLURM_CONF`` names. The arrays of both files must be equal byte for byte.
Writes ``killed-TASK-ENGINE.json`` to the folder.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from simulacra.conditions import EnergySpectrum
from simulacra.detectors import load_detector
from simulacra.engines import Engine, Parts, parse_engine
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.production import produce as simulate
from simulacra.io import write_pieces
from simulacra.simulators.generate import asked_conditions
from simulacra.simulators.load import load_simulator
from simulacra.simulators.produce import produce as generate
from simulacra.statistics.series import SERIES

CHUNKS, KILLED = 40, 3
SLURM = "chunks_per_job: 4\nmemory: 1G\n"
Make = Callable[[Path, Engine | None], object]


def full(output: Path, engine: Engine | None, seed: int) -> None:
    """Simulate 40 chunks of two photons each."""
    CalorimeterSetup.chunk_cost = 2000.0
    detector, photons = load_detector("atlas-barrel"), Geant4Settings(particle="gamma")
    spectrum = EnergySpectrum.parse("1GeV")
    simulate(detector, photons, spectrum, output, seed=seed, n=2 * CHUNKS, executor=engine)


def fast(output: Path, engine: Engine | None, seed: int, simulator: Path) -> None:
    """Generate 40 series of showers."""
    loaded = load_simulator(simulator)
    conditions = asked_conditions(loaded, "1GeV..65GeV", CHUNKS * SERIES, seed)
    if engine is None:
        write_pieces(loaded.stream(conditions, seed), len(conditions), output)
    else:
        generate(simulator, conditions, seed, output, engine)


@contextmanager
def dask(_folder: Path) -> Iterator[tuple[str, Callable[[], list[int]]]]:
    """Yield the address of two worker processes, and a call for their numbers."""
    import dask
    from distributed import Client, LocalCluster

    patience = {"distributed.deploy.lost-worker-timeout": "10 minutes"}  # on a busy machine
    with (
        dask.config.set(patience),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield (
            f"dask:{cluster.scheduler_address}",
            lambda: list(client.run(os.getpid, on_error="ignore").values()),
        )


@contextmanager
def slurm(folder: Path) -> Iterator[tuple[str, Callable[[], list[int]]]]:
    """Yield the settings of SLURM's jobs, and a call for the numbers of their processes."""
    (folder / "slurm.yaml").write_text(SLURM)
    yield f"slurm:{folder / 'slurm.yaml'}", lambda: list(_commands(str(folder)))


def _commands(folder: str) -> Iterator[int]:
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "simulacra.engines.worker" in words and any(word.startswith(folder) for word in words):
            yield int(place.parent.name)


def killer(parts: Path, workers: Callable[[], list[int]], seed: int, killed: list[Any]) -> None:
    """Kill three workers, each when some more chunks are finished."""
    rng = random.Random(seed)
    for when in sorted(rng.sample(range(1, CHUNKS - 8), KILLED)):
        while len(list(parts.glob("chunk-*.h5"))) < when or not (found := workers()):
            time.sleep(0.05)
        victim = rng.choice(found)
        os.kill(victim, signal.SIGKILL)
        killed.append({"process": victim, "chunks finished": when})


def arrays_of(path: Path) -> dict[str, bytes]:
    """Return the bytes of every array of a file."""
    found: dict[str, bytes] = {}

    def take(name: str, item: Any) -> None:  # noqa: ANN401 - what h5py gives
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item[()]).tobytes()

    with h5py.File(path) as file:
        file.visititems(take)
    return found


def main(folder: Path, task: str, engine: str, seed: int = 1) -> None:
    """Make both files, compare them, and write what happened."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    make: Make = partial(full, seed=seed)
    if task == "generate":
        simulator = folder / "photons.onnx"
        if not simulator.exists():
            from simulacra.deploy import export
            from simulacra.simulators.trained import TrainedSimulator

            export(TrainedSimulator.load("atlas-barrel-photons"), "onnx", simulator)
        make = partial(fast, seed=seed, simulator=simulator)
    local, there = folder / f"{task}-local.h5", folder / f"{task}-{engine}.h5"
    seconds: dict[str, float] = {}
    killed: list[Any] = []
    start = time.monotonic()
    make(local, None)
    seconds["local"] = time.monotonic() - start
    parts = Parts.place(there)
    with {"dask": dask, "slurm": slurm}[engine](folder) as (where, workers):
        thread = threading.Thread(target=killer, args=(parts, workers, seed, killed), daemon=True)
        thread.start()
        start = time.monotonic()
        make(there, parse_engine(where))
        seconds[engine] = time.monotonic() - start
    one, other = arrays_of(local), arrays_of(there)
    result = {
        "command": f"python benchmarks/scale/killed.py FOLDER {task} {engine} {seed}",
        "chunks": CHUNKS,
        "killed": killed,
        "arrays equal byte for byte": one == other,
        "bytes compared": sum(map(len, one.values())),
        "seconds": seconds,
        "load": os.getloadavg()[0],
    }
    (folder / f"killed-{task}-{engine}.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:4], *map(int, sys.argv[4:]))
