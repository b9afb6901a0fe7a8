"""Draw very many showers and count what must never happen.

    python draws.py atlas-barrel-photons --number 10000000 -o results/draws.json

Energies are log-uniform between 1 and 262 GeV, impacts uniform. Closure compares the sum of a
layer's cells with the layer's energy in double precision, relative to the total. The output is
written as it grows; the same command goes on from there.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.models.surrogate import Surrogate
from simulacra.simulators.trained import TrainedSimulator

BLOCK = 500
BLOCKS_BETWEEN_OUTPUTS = 200
SPECTRUM = EnergySpectrum.parse("1GeV..262GeV")
CLOSURE = 1e-5


class Found(TypedDict):
    """What the file holds."""

    simulator: str
    seed: int
    drawn: int
    non_finite: int
    negative: int
    closure: int
    largest_closure_violation: float
    cpu_seconds: float


@torch.inference_mode()
def draw(surrogate: Surrogate, number: int, seed: tuple[int, int]) -> tuple[int, int, int, float]:
    """Return how many showers are not finite, negative, or fail to close, and the worst closure."""
    rng, torch_rng = np.random.default_rng(seed), torch.Generator()
    columns = surrogate.columns(draw_conditions(surrogate.detector, SPECTRUM, number, rng))
    torch_rng.manual_seed(int(rng.integers(2**63)))
    noise = torch.randn(surrogate.model.noise_shape(number), generator=torch_rng)
    features = surrogate.model.sample(surrogate.encoder(columns), noise)
    cells = surrogate.transform.inverse(features, columns)["showers"]
    layers = surrogate.transform.layer_energies(features, columns).double()
    sums = surrogate.transform.of_layers.sums(cells.double())  # the same for mirrored showers
    violation = ((sums - layers).abs() / layers.sum(dim=1, keepdim=True)).amax(dim=1)
    return (
        int((~torch.isfinite(cells)).any(dim=1).sum()),
        int((cells < 0).any(dim=1).sum()),
        int((~(violation <= CLOSURE)).sum()),
        float(violation.max()),
    )


def begin(simulator: str, seed: int, output: Path) -> Found:
    """Return what was found before by the same command, or an empty record."""
    if output.is_file():
        found: Found = json.loads(output.read_text(encoding="utf-8"))
        if (found["simulator"], found["seed"]) == (simulator, seed):
            return found
    return Found(
        simulator=simulator,
        seed=seed,
        drawn=0,
        non_finite=0,
        negative=0,
        closure=0,
        largest_closure_violation=0.0,
        cpu_seconds=0.0,
    )


def main() -> None:
    """Draw, count and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulator", type=Path)
    parser.add_argument("--number", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    surrogate = TrainedSimulator.load(arguments.simulator).surrogate
    found = begin(arguments.simulator.name, arguments.seed, arguments.output)
    before, start = found["cpu_seconds"], time.process_time()
    while found["drawn"] < arguments.number:
        for _ in range(BLOCKS_BETWEEN_OUTPUTS):
            number = min(BLOCK, arguments.number - found["drawn"])
            if number == 0:
                break
            bad = draw(surrogate, number, (arguments.seed, found["drawn"]))
            for name, count in zip(("non_finite", "negative", "closure"), bad[:3], strict=True):
                found[name] += count
            found["largest_closure_violation"] = max(found["largest_closure_violation"], bad[3])
            found["drawn"] += number
        found["cpu_seconds"] = round(before + time.process_time() - start, 1)
        part = arguments.output.with_suffix(".part")
        part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        part.replace(arguments.output)


if __name__ == "__main__":
    main()
