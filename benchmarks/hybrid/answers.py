"""Set a fast simulator's mean answer beside full simulation of the particles that it got.

    python benchmarks/hybrid/answers.py FULL.h5 HYBRID.h5 --seeds 12

Both files are those of ``compare.py``, of a card whose first region a particle enters straight.
Each simulator answers anew for all that was handed over to it, with as many seeds, and the mean of
its answers stands for it: what is left is the scatter of full simulation, and the simulator's bias.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from compare import CONSOLE, FloatArray, by_layer, by_primary, ratio
from rich.table import Table

from simulacra.hybrid import HybridEvents, read_hybrid
from simulacra.hybrid.regions import Region
from simulacra.simulators.trained import TrainedSimulator


def mean_answers(
    simulator: TrainedSimulator, events: HybridEvents, rows: np.ndarray, seeds: int
) -> FloatArray:
    """Return the energy of each layer (rows, layers), MeV, averaged over the seeds."""
    region = Region("region", simulator.detector)
    conditions = region.conditions(events.requests.entries.take(rows))
    total = np.zeros((len(rows), len(simulator.detector.layers)))
    for seed in range(seeds):
        showers = simulator.simulate(conditions, 100 + seed)["showers"]
        total += by_layer(showers, simulator.detector)
    return total / seeds


def main() -> None:
    """Print a table for each simulator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("full", type=Path)
    parser.add_argument("hybrid", type=Path)
    parser.add_argument("--seeds", type=int, default=12)
    arguments = parser.parse_args()
    full, fast = read_hybrid(arguments.full), read_hybrid(arguments.hybrid)
    by_full = by_primary(full)
    card = fast.provenance["card"]
    for number, rule in enumerate(card["rules"]):
        rows = np.flatnonzero(fast.requests.handed_over & (fast.requests.rule == number))
        simulator = TrainedSimulator.load(card["simulators"][rule["simulator"]]["folder"])
        answers = mean_answers(simulator, fast, rows, arguments.seeds)
        expected = by_full[fast.requests.primary[rows]]
        names = [layer.name for layer in simulator.detector.layers]
        table = Table(rule["simulator"], "full, MeV", "fast, MeV", "ratio", "pull")
        for column, name in enumerate([*names, "total"]):
            a, b = (e.sum(axis=1) if name == "total" else e[:, column] for e in (expected, answers))
            table.add_row(name, *ratio(a, b))
        CONSOLE.print(table)


if __name__ == "__main__":
    main()
