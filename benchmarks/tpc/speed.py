"""How long the network of tracks takes by what runs it: torch, torch.compile, ONNX Runtime.

    simulacra export helix-flow --to onnx -o helix-flow.onnx
    python speed.py helix-flow helix-flow.onnx -o results/speed

One thread, CPU time of a track in batches, from conditions to clusters: the median of some calls,
each way in turn. ``torch.compile`` needs a C++ compiler and compiles each batch size anew, which is
counted apart. Then what is not network: the normal numbers that a batch begins with (not in the
times before), how helices meet the rows, and clusters from what the network says (both are).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from table import SEED, SPECTRUM, cpu_ms

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.runtime import Runtime
from simulacra.simulators.trained import TrainedSimulator

BATCHES = (100, 1000)


def microseconds(simulator: TrainedSimulator, runtime: Runtime, batch: int) -> dict[str, float]:
    """Return the time of a track by what runs the network, and that of compiling in seconds."""
    surrogate = simulator.surrogate
    spectrum, rng = EnergySpectrum.parse(SPECTRUM), np.random.default_rng(SEED)
    conditions = draw_conditions(surrogate.detector, spectrum, batch, rng)
    columns = surrogate.columns(conditions)
    shape = surrogate.model.noise_shape(batch)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(SEED))
    compiled = torch.compile(surrogate, dynamic=False)
    with torch.inference_mode():
        start = time.perf_counter()
        compiled(columns, noise)
        encoded = surrogate.encoder(columns)
        features = surrogate.model.sample(encoded, noise)
        found = {"compiling, s": time.perf_counter() - start}
        ways = {
            "torch": lambda: surrogate(columns, noise),
            "torch.compile": lambda: compiled(columns, noise),
            "ONNX Runtime": lambda: runtime.run(columns.numpy(), noise.numpy()),
            "normal numbers": lambda: torch.randn(shape),
            "conditions": lambda: surrogate.encoder(columns),
            "clusters": lambda: surrogate.transform.inverse(features, columns),
        }
        for name, call in ways.items():
            found[name] = 1000 * cpu_ms(call) / batch
    return found


def main() -> None:
    """Time all, and write a table and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulator", type=Path)
    parser.add_argument("exported", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    simulator = TrainedSimulator.load(arguments.simulator)
    runtime = Runtime.load(arguments.exported)
    found = {batch: microseconds(simulator, runtime, batch) for batch in BATCHES}
    names = list(found[BATCHES[0]])
    lines = [f"| μs per track, batch | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for batch, times in found.items():
        lines.append(f"| {batch} | " + " | ".join(f"{times[name]:.3g}" for name in names) + " |")
    arguments.output.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    content = json.dumps(found, indent=1) + "\n"
    arguments.output.with_suffix(".json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
