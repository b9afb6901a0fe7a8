"""Exported files against torch: time per event, cold start, memory and size, one core, one thread.

    OMP_NUM_THREADS=1 python benchmarks/deployment/measure.py FOLDER

exports the shipped generator and a DNNCaloGAN of default size with random weights (neither its
speed nor its size depends on training), and writes ``results.json`` and ``results.md`` to the
folder. Times per event are processor time, median of the calls of ``SECONDS``, the file and torch
in turn in one process, so that other work on the machine counts little and equally. Cold start and
memory are those of a process of its own for each.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

BATCHES = (1, 100, 1000)
SECONDS = 2.0
STARTS = 3
PHOTON = {
    "energy": 65_000.0,
    "impact_eta": 3.0,
    "impact_phi": -8.0,
    "alignment_eta": 1,
    "alignment_phi": 2,
}


def in_turn(calls: dict[str, Callable[[], object]], batch: int) -> dict[str, float]:
    """Return the median processor time of each call over its events, ms."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    while len(times["torch"]) < 5 or sum(times["torch"]) < SECONDS:
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: median(taken) / batch * 1e3 for name, taken in times.items()}


def speeds(file: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Return the times of an exported file and of the trained simulator itself."""
    import numpy as np
    import torch

    from simulacra.conditions import Conditions
    from simulacra.runtime import Runtime
    from simulacra.simulators.trained import TrainedSimulator

    torch.set_num_threads(1)
    runtime, simulator = Runtime.load(file), TrainedSimulator.load(folder)
    surrogate = simulator.surrogate
    found: dict[str, dict[str, float]] = {"onnx": {}, "torch": {}}
    for batch in BATCHES:
        rows = Conditions({name: np.full(batch, value) for name, value in PHOTON.items()})
        columns = surrogate.columns(rows)
        noise = torch.randn(surrogate.model.noise_shape(batch))
        arrays = columns.numpy(), noise.numpy()
        for what, with_file, with_torch in (
            ("network", partial(runtime.run, *arrays), partial(surrogate, columns, noise)),
            (
                "generate",
                partial(runtime.generate, rows.columns, 1),
                partial(simulator.simulate, rows, 1),
            ),
        ):
            with torch.inference_mode():
                times = in_turn({"onnx": with_file, "torch": with_torch}, batch)
            for way, taken in times.items():
                found[way][f"{what} {batch}"] = taken
    return found


def alone(way: str, what: str, batches: Sequence[int] = BATCHES) -> dict[str, float]:
    """Answer a photon, then batches, and return when the first was there (s) and the memory (MB).

    For a file nothing but NumPy and ONNX Runtime is loaded.
    """
    import numpy as np

    from simulacra.files.memory import peak_memory_mb

    answer: Callable[[dict[str, Any]], object]
    if way == "onnx":
        from simulacra.runtime import Runtime

        runtime = Runtime.load(what)
        answer = partial(runtime.generate, seed=1)
    else:
        from simulacra.conditions import Conditions
        from simulacra.simulators.trained import TrainedSimulator

        simulator = TrainedSimulator.load(what)
        answer = lambda rows: simulator.simulate(Conditions(rows), 1)  # noqa: E731
    answer({name: np.array([value]) for name, value in PHOTON.items()})
    first = time.perf_counter()
    for batch in batches:
        answer({name: np.full(batch, value) for name, value in PHOTON.items()})
    return {"first": first, "memory": peak_memory_mb()}


def in_process(way: str, what: Path) -> dict[str, float]:
    """Return cold start (s) and memory (MB) of fresh processes on one core."""
    command = [sys.executable, __file__, way, str(what)]
    starts, processor = [], []
    for _ in range(STARTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        run = subprocess.run([*command, "--start"], check=True, capture_output=True, text=True)
        starts.append(json.loads(run.stdout)["first"] - start)  # both clocks are the system's
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(sum(after[:2]) - sum(before[:2]))
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    memory: float = json.loads(run.stdout)["memory"]
    return {
        "cold start": min(starts),
        "cold start, processor": min(processor),
        "memory": memory,
    }


def random_gan(folder: Path) -> Path:
    """Write a DNNCaloGAN of default size with random weights, and return its folder."""
    import torch

    from simulacra.datasets.samples import load_sample
    from simulacra.models import find_model
    from simulacra.models.surrogate import Surrogate
    from simulacra.simulators.trained import TrainedSimulator
    from simulacra.training.card import Card

    card = Card.load(Path(__file__).parents[2] / "examples/dnncalogan.yaml")
    events = load_sample("selection")
    torch.manual_seed(1)
    surrogate = Surrogate(find_model("dnncalogan"), card.model, events.detector)
    surrogate.fit(events)
    ranges = {"energy": (1000.0, 262_144.0)}
    TrainedSimulator(surrogate.eval(), card, ranges).save(folder / "dnncalogan")
    return folder / "dnncalogan"


def measure(folder: Path) -> dict[str, Any]:
    """Return all results by simulator."""
    from simulacra.datasets.shipped import simulator_folder
    from simulacra.deploy import export
    from simulacra.simulators.trained import TrainedSimulator

    folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for simulator in (simulator_folder("atlas-barrel-photons"), random_gan(folder)):
        loaded, name = TrainedSimulator.load(simulator), simulator.name
        files = {"onnx": folder / f"{name}.onnx"}
        export(loaded, "onnx", files["onnx"])
        if name == "dnncalogan":
            files["lwtnn"] = folder / f"{name}.json"
            export(loaded, "lwtnn", files["lwtnn"])
        taken = speeds(files["onnx"], simulator)
        results[name] = {
            "onnx": taken["onnx"] | in_process("onnx", files["onnx"]),
            "torch": taken["torch"] | in_process("torch", simulator),
            "MB": {form: file.stat().st_size / 1e6 for form, file in files.items()},
        }
    return results


def markdown(results: dict[str, Any]) -> str:
    """Return the results as tables."""
    head = ["simulator", "with", *(f"network, batch {b}" for b in BATCHES)]
    head += [*(f"whole call, batch {b}" for b in BATCHES)]
    head += ["cold start, s (processor)", "memory, MB"]
    lines = [head, ["---"] * len(head)]
    for name, result in results.items():
        for way in ("onnx", "torch"):
            found = result[way]
            lines.append(
                [name, way]
                + [
                    f"{found[f'{what} {b}']:.3g}"
                    for what in ("network", "generate")
                    for b in BATCHES
                ]
                + [f"{found['cold start']:.2f} ({found['cold start, processor']:.2f})"]
                + [f"{found['memory']:.0f}"]
            )
    sizes = [
        f"{name}: " + ", ".join(f"{form} {size:.2f} MB" for form, size in result["MB"].items())
        for name, result in results.items()
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"ms/event of processor time.\n\n{table}\n\nFiles: {'; '.join(sizes)}.\n"


def main(arguments: list[str]) -> None:
    """Measure in this process, or all in processes of their own."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if arguments[0] in ("onnx", "torch"):
        batches = () if "--start" in arguments else BATCHES
        sys.stdout.write(json.dumps(alone(*arguments[:2], batches)) + "\n")
        return
    folder = Path(arguments[0])
    results = measure(folder)
    (folder / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    (folder / "results.md").write_text(markdown(results))
    sys.stdout.write(markdown(results))


if __name__ == "__main__":
    main(sys.argv[1:])
