"""Distance from the true helix and energy loss, bin by bin: a simulator against the chain.

    python bins.py test.h5 helix-flow -o results/bins

Ratios are generated over full simulation on the same conditions; errors are bootstrapped. RMSE is
the median over tracks, so that a few decays do not decide; its mean stands beside it.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.conditions import Conditions
from simulacra.io import read_events
from simulacra.simulator import TrainedSimulator
from simulacra.validation import measured

SEED = 5
REPLICAS = 50
FEWEST = 30
MOMENTA = (100.0, 215.0, 464.0, 1000.0, 2154.0, 4642.0, 10_000.1)
ETAS = (0.0, 0.3, 0.6, 0.901)
SPECIES = {11: "e", 13: "μ", 211: "π", 321: "K", 2212: "p"}
Statistic = Callable[[FloatArray], float]


def width(values: FloatArray) -> float:
    """Return the central interval of 68 % of the values."""
    low, high = np.quantile(values, [0.16, 0.84])
    return float(high - low)


def rows(conditions: Conditions) -> Iterator[tuple[str, str, BoolArray]]:
    """Yield observable, label and tracks of each bin."""
    momentum, eta = conditions["transverse_momentum"], np.abs(conditions["pseudorapidity"])
    for low, high in itertools.pairwise(MOMENTA):
        here = (momentum >= low) & (momentum < high)
        for a, b in itertools.pairwise(ETAS):
            label = f"{low:.0f} to {high:.0f} MeV/c, η {a:g} to {b:.1f}"
            yield "rmse_true", label, here & (eta >= a) & (eta < b)
        for code, name in SPECIES.items():
            label = f"{name}, {low:.0f} to {high:.0f} MeV/c"
            yield "dedx", label, here & (np.abs(conditions["pdg"]) == code)


def ratio(reference: FloatArray, generated: FloatArray, statistic: Statistic) -> tuple[float, ...]:
    """Return the statistic of full simulation, the ratio of the generated one, and its error."""
    rng = np.random.default_rng(SEED)
    both = [v[np.isfinite(v)] for v in (reference, generated)]
    values = [statistic(v) for v in both]
    errors = [np.std([statistic(rng.choice(v, len(v))) for _ in range(REPLICAS)]) for v in both]
    error = np.hypot(errors[0] / values[0], errors[1] / values[1])
    return values[0], values[1] / values[0], float(error)


def main() -> None:
    """Compare, and write a table and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test", type=Path)
    parser.add_argument("simulator", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    arguments = parser.parse_args()
    test = read_events(arguments.test)
    generated = TrainedSimulator.load(arguments.simulator).simulate(test.conditions, SEED)
    values = [measured(events).values for events in (test, generated)]
    statistics: dict[str, dict[str, Statistic]] = {
        "rmse_true": {"median": lambda v: float(np.median(v)), "mean": lambda v: float(v.mean())},
        "dedx": {"mean": lambda v: float(v.mean()), "width": width},
    }
    found = []
    for name, label, here in rows(test.conditions):
        a, b = (v[name][here] for v in values)
        if min(np.isfinite(a).sum(), np.isfinite(b).sum()) < FEWEST:
            continue
        for what, statistic in statistics[name].items():
            full, over, error = ratio(a, b, statistic)
            row = {"observable": f"{name}, {what}", "bin": label, "tracks": int(here.sum())}
            found.append(row | {"full": full, "ratio": over, "error": error})
    lines = ["| | bin | tracks | full simulation | generated over it |", "|---|---|---|---|---|"]
    lines += [
        f"| {r['observable']} | {r['bin']} | {r['tracks']} | {r['full']:.4g} "
        f"| {r['ratio']:.3f} ± {r['error']:.3f} |"
        for r in sorted(found, key=lambda r: r["observable"])
    ]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments.output.with_suffix(".json").write_text(
        json.dumps(found, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
