"""Train an entry of entries.json on a device for some minutes; the next run goes on from there.

    python benchmarks/gpu/train.py gan-3d --data DATA --carried CARRIED -o OUT --minutes 8

``DATA`` holds ``NAME-train.h5`` and ``NAME-selection.h5`` (and ``NAME-test.h5``, for scores);
``CARRIED`` what an earlier run left in its ``OUT``. ``OUT`` gets the checkpoint or the finished
simulator, the evaluations and ``result.json``: at most eight files, which are cut into parts of
15 MB where larger. ``--smoke`` makes a few events itself and takes two steps on the CPU.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from simulacra.errors import TrainingStoppedError
from simulacra.io import read_events, write_events
from simulacra.simulators.trained import TrainedSimulator, train
from simulacra.training.card import Card
from simulacra.validation import validate

HERE = Path(__file__).parent
PART = 15_000_000
"""Bytes of a file that is brought back."""
MOST_FILES = 8
TESTED = 2000
"""Generated events that are judged."""


def main() -> None:
    """Train, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    entries = json.loads((HERE / "entries.json").read_text())
    parser.add_argument("name", choices=entries)
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--carried", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        if given.smoke:
            given.data, given.device = Path(scratch), "cpu"
            smoke_sample(given.name, entries[given.name]["sample"], given.data)
            given.overrides += entries[given.name]["smoke"]
        result = run(given, Path(scratch) / "simulator")
    (given.output / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    if len(list(given.output.iterdir())) > MOST_FILES:
        msg = f"more than {MOST_FILES} files in {given.output}"
        raise SystemExit(msg)


def run(given: argparse.Namespace, simulator: Path) -> dict[str, Any]:
    """Train as long as there is time; return facts, speeds and scores."""
    files = [f"data.{part}={given.data / f'{given.name}-{part}.h5'}" for part in PARTS[:2]]
    device = "cuda" if given.device == "auto" and torch.cuda.is_available() else given.device
    options = [*files, f"training.accelerator={device.partition(':')[0]}", *given.overrides]
    card = Card.load(HERE / f"{given.name}.yaml", options)
    part = simulator.with_name(simulator.name + ".part")
    carry_in(given.carried, part)
    began = time.perf_counter()
    steps: list[tuple[float, int]] = []
    timer = threading.Timer(60 * given.minutes, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()
    try:
        trained = train(card, simulator, lambda _p, n, _t: steps.append((time.perf_counter(), n)))
    except TrainingStoppedError as stopped:
        print(stopped)  # noqa: T201
        trained = None
    finally:
        timer.cancel()
    carry_out(simulator if trained else part, given.output)
    result = {
        "name": given.name,
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
        "torch": torch.__version__,
        "minutes": (time.perf_counter() - began) / 60,
        "step": steps[-1][1] if steps else 0,
        "steps_per_second": speed(steps),
        "finished": trained is not None,
    }
    if trained is not None:
        result |= judged(trained, given)
    return result


PARTS = ("train", "selection", "test")


def speed(steps: list[tuple[float, int]]) -> float:
    """Return steps a second without evaluations: of the middle half of all intervals."""
    gaps = sorted(b[0] - a[0] for a, b in itertools.pairwise(steps))
    middle = gaps[len(gaps) // 4 : 3 * len(gaps) // 4 + 1]
    return len(middle) / sum(middle) if sum(middle) else 0.0


def judged(simulator: TrainedSimulator, given: argparse.Namespace) -> dict[str, Any]:
    """Return the selection score, and where there is a test sample the worst separation."""
    scores: dict[str, Any] = {"selection_score": simulator.about["selection_score"]}
    test = given.data / f"{given.name}-test.h5"
    if test.is_file():
        events = read_events(test)[:TESTED]
        generated = simulator.on(given.device).simulate(events.conditions, 1, extrapolate=True)
        profile = "none" if given.smoke else "quick"
        found = validate(events, generated, profile=profile, device=given.device)
        scores["separation"] = {
            group.label: {
                name: comparison.metrics["separation"].value
                for name, comparison in group.comparisons.items()
            }
            for group in found.energies
        }
    return scores


def smoke_sample(name: str, sample: dict[str, Any], folder: Path) -> None:
    """Write random events of the entry's detector: mechanics, not physics."""
    from random_events import random_events  # beside this file

    for number, part in enumerate(PARTS):
        write_events(
            random_events(sample["detector"], 64, number, sample), folder / f"{name}-{part}.h5"
        )


def carry_in(carried: Path | None, part: Path) -> None:
    """Put the checkpoint of an earlier run where the training looks for it."""
    if carried is None or not any(carried.glob("checkpoint.safetensors*")):
        return
    part.mkdir(parents=True)
    names = {file.name.partition(".part-")[0] for file in carried.iterdir()} - {"result.json"}
    for name in names:
        content = b"".join(piece.read_bytes() for piece in pieces_of(carried, name))
        (part / name).write_bytes(content)


def pieces_of(folder: Path, name: str) -> Iterator[Path]:
    """Yield a file, or the parts of it, in order."""
    if (folder / name).is_file():
        yield folder / name
    yield from sorted(folder.glob(f"{name}.part-*"))


def carry_out(folder: Path, output: Path) -> None:
    """Copy the files of a training, larger ones in parts, in place of those of an earlier run."""
    for old in output.iterdir():
        old.unlink()
    for file in folder.iterdir():
        if not file.is_file() or file.name == "lock" or file.suffix == ".png":
            continue
        if file.stat().st_size <= PART:
            shutil.copy(file, output / file.name)
            continue
        content = file.read_bytes()
        for number, start in enumerate(range(0, len(content), PART)):
            (output / f"{file.name}.part-{number}").write_bytes(content[start : start + PART])


if __name__ == "__main__":
    main()
