"""Throughput and memory of a training that streams, beside one with all features in memory.

    python benchmarks/scale/stream.py --events 100000 --steps 30 -o stream.json

Showers of random cells in CaloChallenge's data set 2 (6480 cells) are written to files, four fifths
of the cells empty. The default generator, with the width given, then makes the same number of steps
from each source; each runs in a process of its own, whose peak memory is its own. Sources take
turns (``--repeats``), so that the load of the machine is the same for both; CPU time is that of all
threads of the process, wall time that of the steps alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.detectors import Detector, load_detector
from simulacra.events import Events
from simulacra.files.memory import peak_memory_mb
from simulacra.io import write_pieces

DETECTOR = "calochallenge-2"
PIECE, FILES = 1024, 4
SOURCES = ("memory", "stream")
WARM_UP = 3


def showers(detector: Detector, n: int, seed: int) -> Iterator[Events]:
    """Yield random showers in pieces."""
    rng = np.random.default_rng(seed)
    spectrum = EnergySpectrum.parse("1GeV..1000GeV")
    for start in range(0, n, PIECE):
        size = min(PIECE, n - start)
        conditions = draw_conditions(detector, spectrum, size, rng)
        shape = (size, *detector.response_arrays["showers"].shape)
        cells = rng.exponential(1.0, shape) * (rng.random(shape) < 0.2)
        cells *= (0.9 * conditions["energy"] / np.maximum(cells.sum(axis=1), 1e-6))[:, None]
        yield Events(conditions, {"showers": cells.astype(np.float32)}, detector)


def written(folder: Path, events: int) -> None:
    """Write the training events to several files, and some that select."""
    detector = load_detector(DETECTOR)
    for number in range(FILES):
        path = folder / f"train-{number}.h5"
        n = events // FILES
        if not path.is_file():
            write_pieces(showers(detector, n, number), n, path)
    if not (folder / "selection.h5").is_file():
        write_pieces(showers(detector, 200, 99), 200, folder / "selection.h5")


def timed(folder: Path, source: str, steps: int, batch: int, width: int) -> dict[str, float]:
    """Return what the steps of one source cost in this process."""
    import torch

    from simulacra.models import find_model
    from simulacra.models.surrogate import Surrogate
    from simulacra.training.batches import InMemory
    from simulacra.training.card import Card
    from simulacra.training.reader import AT_ONCE, streamed
    from simulacra.training.run import start
    from simulacra.training.samples import training_events
    from simulacra.training.streams import Stream

    torch.set_num_threads(1)
    card = Card.model_validate(
        {
            "detector": DETECTOR,
            "data": {
                "train": str(folder / "train-*.h5"),
                "selection": str(folder / "selection.h5"),
                "stream": True,
            },
            "model": {"kind": "flow-matching", "cell_width": width},
            "training": {"steps": 10_000, "batch_size": batch, "accelerator": "cpu"},
        }
    )
    began = time.perf_counter()
    stream, _ = training_events(card, load_detector(DETECTOR))
    assert isinstance(stream, Stream)
    surrogate = Surrogate(find_model("flow-matching"), card.model, stream.detector)
    if source == "stream":
        batches: object = streamed(surrogate, stream, 1)
    else:  # transformed piece by piece: the whole at once would take many copies
        surrogate.fit(stream.sample)
        features = torch.empty((len(stream), *surrogate.features(stream.sample[:2])[0].shape[1:]))
        conditions = surrogate.encoder(surrogate.columns(stream.known.conditions))
        for first in range(0, len(stream), PIECE):
            events = stream.take(slice(first, first + PIECE))
            for start_at in range(0, len(events), AT_ONCE):
                some = events.take(slice(start_at, start_at + AT_ONCE))
                at = first + start_at
                features[at : at + len(some)] = surrogate.features(some)[0]
        batches = InMemory(features, conditions, surrogate.transform)
    run = start(surrogate, batches, card.training, 1)  # type: ignore[arg-type]
    for _ in range(WARM_UP):
        run.advance()
    ready = time.perf_counter()
    cpu = time.process_time()
    for _ in range(steps):
        run.advance()
    wall, cpu = time.perf_counter() - ready, time.process_time() - cpu
    return {
        "events_per_second": steps * batch / wall,
        "events_per_cpu_second": steps * batch / cpu,
        "preparing_s": ready - began,
        "peak_memory_mb": peak_memory_mb(),
    }


def main() -> None:
    """Measure, or be one of the measured processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--source", choices=SOURCES)
    parser.add_argument("-o", "--output", type=Path, default=Path("stream.json"))
    given = parser.parse_args()
    if given.source:
        result = timed(given.folder, given.source, given.steps, given.batch, given.width)
        given.output.write_text(json.dumps(result))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        written(folder, given.events)
        found: dict[str, list[dict[str, float]]] = {source: [] for source in SOURCES}
        for _ in range(given.repeats):
            for source in SOURCES:
                part = folder / "part.json"
                options = [*sys.argv[1:], "--folder", str(folder), "--source", source]
                subprocess.run(
                    [sys.executable, __file__, *options, "-o", str(part)],
                    check=True,
                    env=os.environ | {"OMP_NUM_THREADS": "1"},
                )
                found[source].append(json.loads(part.read_text()))
    summary = {
        source: {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        for source, runs in found.items()
    }
    facts = {
        "command": " ".join(sys.argv),
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "settings": {k: v for k, v in vars(given).items() if isinstance(v, int)},
        "medians": summary,
        "runs": found,
    }
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
