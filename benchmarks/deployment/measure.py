"""Exported files against torch: time per event, cold start, memory and size, one core, one thread.

    OMP_NUM_THREADS=1 python benchmarks/deployment/measure.py FOLDER

exports the shipped generator and a DNNCaloGAN of default size with random weights (neither its
speed nor its size depends on training), measures each in processes of their own, and writes
``results.json`` and ``results.md`` to the folder. Times per event are processor time, median of the
calls of ``SECONDS``, so that other work on the machine counts little.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
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


def per_event(call: Callable[[], object], batch: int) -> float:
    """Return the median processor time of a call over its events, ms."""
    call()
    times: list[float] = []
    while len(times) < 3 or sum(times) < SECONDS:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return median(times) / batch * 1e3


def with_runtime(file: str) -> dict[str, Any]:
    """Measure an exported file; nothing but NumPy and ONNX Runtime is loaded."""
    import numpy as np

    from simulacra.memory import peak_memory_mb
    from simulacra.runtime import Runtime

    runtime = Runtime.load(file)
    runtime.generate(PHOTON, seed=1)
    first = time.perf_counter()
    found: dict[str, Any] = {"first": first, "memory": {"1": peak_memory_mb()}}
    rng = np.random.default_rng(1)
    for batch in BATCHES:
        rows = PHOTON | {"energy": np.full(batch, PHOTON["energy"])}
        columns = np.stack([np.broadcast_to(rows[c.name], batch) for c in runtime.contract.columns])
        columns = np.ascontiguousarray(columns.T, np.float32)
        noise = rng.standard_normal((batch, *runtime.contract.noise), dtype=np.float32)
        found[f"network {batch}"] = per_event(lambda c=columns, n=noise: runtime.run(c, n), batch)
        found[f"generate {batch}"] = per_event(lambda r=rows: runtime.generate(r, 1), batch)
        found["memory"][str(batch)] = peak_memory_mb()
    return found


def with_torch(folder: str) -> dict[str, Any]:
    """Measure the same with the trained simulator itself."""
    import numpy as np
    import torch

    from simulacra.conditions import Conditions
    from simulacra.memory import peak_memory_mb
    from simulacra.simulator import TrainedSimulator

    torch.set_num_threads(1)
    simulator = TrainedSimulator.load(folder)
    simulator.simulate(Conditions({name: np.array([v]) for name, v in PHOTON.items()}), 1)
    found: dict[str, Any] = {"first": time.perf_counter(), "memory": {"1": peak_memory_mb()}}
    surrogate = simulator.surrogate
    for batch in BATCHES:
        rows = Conditions({name: np.full(batch, value) for name, value in PHOTON.items()})
        columns = surrogate.columns(rows)
        noise = torch.randn(surrogate.model.noise_shape(batch))
        with torch.inference_mode():
            found[f"network {batch}"] = per_event(lambda c=columns, n=noise: surrogate(c, n), batch)
        found[f"generate {batch}"] = per_event(lambda r=rows: simulator.simulate(r, 1), batch)
        found["memory"][str(batch)] = peak_memory_mb()
    return found


def in_process(verb: str, what: Path) -> dict[str, Any]:
    """Return what a fresh process on one core measures, with its cold start in s."""
    command = [sys.executable, __file__, verb, str(what)]
    starts, processor = [], []
    for _ in range(STARTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        run = subprocess.run([*command, "--start"], check=True, capture_output=True, text=True)
        starts.append(float(run.stdout) - start)  # both clocks are the system's
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(sum(after[:2]) - sum(before[:2]))
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(run.stdout)
    return measured | {"cold start": min(starts), "cold start, processor": min(processor)}


def random_gan(folder: Path) -> Path:
    """Write a DNNCaloGAN of default size with random weights, and return its folder."""
    import torch

    from simulacra.card import Card
    from simulacra.models import find_model
    from simulacra.sample import load_sample
    from simulacra.simulator import TrainedSimulator
    from simulacra.surrogate import Surrogate

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
    from simulacra.deploy import export
    from simulacra.shipped import simulator_folder
    from simulacra.simulator import TrainedSimulator

    folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for simulator in (simulator_folder("atlas-barrel-photons"), random_gan(folder)):
        loaded, name = TrainedSimulator.load(simulator), simulator.name
        files = {"onnx": folder / f"{name}.onnx"}
        export(loaded, "onnx", files["onnx"])
        if name == "dnncalogan":
            files["lwtnn"] = folder / f"{name}.json"
            export(loaded, "lwtnn", files["lwtnn"])
        results[name] = {
            "onnx": in_process("runtime", files["onnx"]),
            "torch": in_process("torch", simulator),
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
                + [f"{found['memory'][str(BATCHES[-1])]:.0f}"]
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
    if arguments[0] in ("runtime", "torch"):
        work = with_runtime if arguments[0] == "runtime" else with_torch
        if "--start" in arguments:
            globals()["BATCHES"] = ()
            sys.stdout.write(f"{work(arguments[1])['first']}\n")
        else:
            sys.stdout.write(json.dumps(work(arguments[1])) + "\n")
        return
    folder = Path(arguments[0])
    results = measure(folder)
    (folder / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    (folder / "results.md").write_text(markdown(results))
    sys.stdout.write(markdown(results))


if __name__ == "__main__":
    main(sys.argv[1:])
