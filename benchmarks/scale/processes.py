"""Throughput of a training in two processes beside one, and what two cores of the machine allow.

    python benchmarks/scale/processes.py FOLDER [ROUNDS] [BATCH]

Three things in turn, ROUNDS times, each with one thread a process: the default generator, made
wide, trains in one process; in two, which share each batch (gloo); and two trainings that know
nothing of each other, each with half a batch, run at the same time: the limit that the machine
sets, as cores share caches and memory. Events per second on the clock, between the first evaluation
and the last, evaluations excluded. Writes ``processes.json`` to the folder.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import yaml

EVERY, STEPS, WIDTH = 5, 20, 1024


def card(devices: int, batch: int) -> dict[str, object]:
    """Return a run card on the embedded sample."""
    return {
        "detector": "atlas-barrel",
        "data": {"train": "sample:train", "selection": "sample:selection"},
        "model": {"kind": "flow-matching", "cell_width": WIDTH, "cell_depth": 3},
        "training": {
            "steps": STEPS,
            "batch_size": batch,
            "accelerator": "cpu",
            "devices": devices,
        },
        "selection": {"every": EVERY},
        "seed": 1,
    }


def started(folder: Path, name: str, devices: int, batch: int) -> subprocess.Popen[bytes]:
    """Start a training."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(card(devices, batch)))
    command = [sys.executable, "-m", "simulacra", "train", str(path), "-o", str(folder / name)]
    log = (folder / f"{name}.log").open("wb")
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=log)


def rate(folder: Path, name: str) -> float:
    """Return the events per second of a finished training, without its first steps."""
    with (folder / name / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["events_per_second"]]
    later = [float(row["events_per_second"]) for row in rows[1:]]
    return len(later) / sum(1 / each for each in later)


def measured(folder: Path, number: int, batch: int) -> dict[str, float]:
    """Return the events per second of one, of two together, and of two apart (their sum)."""
    found = {}
    for label, runs in {
        "one process": [(1, batch)],
        "two processes": [(2, batch)],
        "two trainings apart": [(1, batch // 2)] * 2,
    }.items():
        names = [f"{label.replace(' ', '-')}-{number}-{each}" for each in range(len(runs))]
        begun = [started(folder, name, *run) for name, run in zip(names, runs, strict=True)]
        for process in begun:
            if process.wait():
                raise SystemExit((folder / f"{names[0]}.log").read_text())
        found[label] = sum(rate(folder, name) for name in names)
    return found


def main(folder: Path, rounds: int = 3, batch: int = 2048) -> None:
    """Measure and write the result."""
    folder.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    taken = [measured(folder, number, batch) for number in range(rounds)]
    result = {
        "command": f"python benchmarks/scale/processes.py FOLDER {rounds} {batch}",
        "card": card(2, batch),
        "load before": load,
        "events per second": taken,
        "ratios to one process, median": {
            label: median(each[label] / each["one process"] for each in taken)
            for label in ("two processes", "two trainings apart")
        },
    }
    (folder / "processes.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
