"""Distance from the true helix and energy loss, bin by bin: a simulator against the chain.

    python bins.py test.h5 helix-flow -o results/bins
    python bins.py test.h5 helix-flow helix-flow-gap --momentum 1GeV..1.5GeV -o results/gap

Ratios are generated over full simulation on the same conditions; errors are bootstrapped. RMSE is
the median over tracks, so that a few decays do not decide; its mean stands beside it. With several
simulators each has its column.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.conditions import Conditions, EnergySpectrum
from simulacra.events import Events
from simulacra.io import read_events
from simulacra.simulators.trained import TrainedSimulator
from simulacra.validation import measured

SEED = 5
REPLICAS = 50
FEWEST = 30
MOMENTA = (100.0, 215.0, 464.0, 1000.0, 2154.0, 4642.0, 10_000.1)
ETAS = (0.0, 0.3, 0.6, 0.901)
SPECIES = {11: "e", 13: "μ", 211: "π", 321: "K", 2212: "p"}
AIMS = {"rmse_true, median": 0.05, "dedx, mean": 0.01, "dedx, width": 0.05}
Statistic = Callable[[FloatArray], float]


def width(values: FloatArray) -> float:
    """Return the central interval of 68 % of the values."""
    low, high = np.quantile(values, [0.16, 0.84])
    return float(high - low)


def rows(conditions: Conditions, momenta: Sequence[float]) -> Iterator[tuple[str, str, BoolArray]]:
    """Yield observable, label and tracks of each bin."""
    momentum, eta = conditions["transverse_momentum"], np.abs(conditions["pseudorapidity"])
    for low, high in itertools.pairwise(momenta):
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


def compare(
    test: Events, generated: Mapping[str, Events], momenta: Sequence[float]
) -> list[dict[str, Any]]:
    """Return what is found in each bin: full simulation, and ratio and error of each simulator."""
    values = {name: measured(events).values for name, events in generated.items()}
    return compare_values(test.conditions, measured(test).values, values, momenta)


def compare_values(
    conditions: Conditions,
    full: Mapping[str, FloatArray],
    values: Mapping[str, Mapping[str, FloatArray]],
    momenta: Sequence[float],
) -> list[dict[str, Any]]:
    """Return the same for observables that are measured: of full simulation, of each simulator."""
    statistics: dict[str, dict[str, Statistic]] = {
        "rmse_true": {"median": lambda v: float(np.median(v)), "mean": lambda v: float(v.mean())},
        "dedx": {"mean": lambda v: float(v.mean()), "width": width},
    }
    found = []
    for observable, label, here in rows(conditions, momenta):
        parts = {name: v[observable][here] for name, v in values.items()}
        reference = full[observable][here]
        if min(np.isfinite(part).sum() for part in (reference, *parts.values())) < FEWEST:
            continue
        for what, statistic in statistics[observable].items():
            row: dict[str, Any] = {"observable": f"{observable}, {what}", "bin": label}
            row["tracks"] = int(here.sum())
            for name, part in parts.items():
                row["full"], *row[name] = ratio(reference, part, statistic)
            found.append(row)
    return sorted(found, key=lambda row: row["observable"])


def summary(found: list[dict[str, Any]], name: str) -> dict[str, str]:
    """Return in how many bins a simulator is within the aim, and within two errors of it or 1."""
    counts = {}
    for observable, aim in AIMS.items():
        off = [(abs(r[name][0] - 1), r[name][1]) for r in found if r["observable"] == observable]
        within = sum(distance <= aim for distance, _ in off)
        errors = sum(distance <= max(aim, 2 * error) for distance, error in off)
        counts[f"{observable}: {aim:.0%}"] = f"{within} of {len(off)}, or two errors {errors}"
    return counts


def main() -> None:
    """Compare, and write a table and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test", type=Path)
    parser.add_argument("simulators", type=Path, nargs="+")
    parser.add_argument("--momentum", help="one bin instead of all, as 1GeV..1.5GeV")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    arguments = parser.parse_args()
    momenta = EnergySpectrum.parse(arguments.momentum).points if arguments.momentum else MOMENTA
    test = read_events(arguments.test)
    momentum = test.conditions["transverse_momentum"]
    test = test.take(np.flatnonzero((momentum >= momenta[0]) & (momentum < momenta[-1])))
    generated = {
        folder.name: TrainedSimulator.load(folder).simulate(test.conditions, SEED)
        for folder in arguments.simulators
    }
    found = compare(test, generated, momenta)
    names = list(generated)
    lines = [f"| | bin | tracks | full simulation | {' | '.join(names)} |"]
    lines += ["|---" * (4 + len(names)) + "|"]
    for row in found:
        ratios = " | ".join(f"{row[name][0]:.3f} ± {row[name][1]:.3f}" for name in names)
        where = f"{row['observable']} | {row['bin']} | {row['tracks']}"
        lines.append(f"| {where} | {row['full']:.4g} | {ratios} |")
    output = arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    summaries = {name: summary(found, name) for name in names}
    content = {"summary": summaries, "bins": found}
    output.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
