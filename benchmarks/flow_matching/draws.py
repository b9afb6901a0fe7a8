"""Draw very many showers and count what must never happen.

    python draws.py atlas-barrel-photons --number 10000000 -o results/draws.json

Energies are log-uniform between 1 and 262 GeV, impacts uniform. Closure compares the sum of a
layer's cells with the layer's energy, and the sum of all cells with that of the layers, both in
double precision, relative to the total.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.simulator import TrainedSimulator

BLOCK = 2000


def main() -> None:
    """Draw, count and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulator")
    parser.add_argument("--number", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    surrogate = TrainedSimulator.load(arguments.simulator).surrogate
    rng, torch_rng = np.random.default_rng(arguments.seed), torch.Generator()
    torch_rng.manual_seed(arguments.seed)
    spectrum = EnergySpectrum.parse("1GeV..262GeV")
    counts = {"non-finite": 0, "negative": 0, "closure": 0}
    worst, drawn, start = 0.0, 0, time.process_time()
    with torch.inference_mode():
        while drawn < arguments.number:
            n = min(BLOCK, arguments.number - drawn)
            columns = surrogate.columns(draw_conditions(surrogate.detector, spectrum, n, rng))
            noise = torch.randn(surrogate.model.noise_shape(n), generator=torch_rng)
            features = surrogate.model.sample(surrogate.encoder(columns), noise)
            cells = surrogate.transform.inverse(features, columns)["showers"]
            layers = surrogate.transform.layer_energies(features, columns).double()
            # mirrored showers keep their layers' sums
            sums = surrogate.transform.of_layers.sums(cells.double())
            total = layers.sum(dim=1, keepdim=True)
            violation = ((sums - layers).abs() / total).amax(dim=1)
            counts["non-finite"] += int((~torch.isfinite(cells)).any(dim=1).sum())
            counts["negative"] += int((cells < 0).any(dim=1).sum())
            counts["closure"] += int((~(violation <= 1e-5)).sum())
            worst = max(worst, float(violation.max()))
            drawn += n
    result = {
        "simulator": str(arguments.simulator),
        "seed": arguments.seed,
        "drawn": drawn,
        "showers": counts,
        "largest closure violation": worst,
        "cpu_seconds": time.process_time() - start,
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
