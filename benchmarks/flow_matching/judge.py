"""Judge simulators on the test events, side by side: one line each, and the whole in JSON.

    python judge.py seed-1 seed-2 coupling-flow -o results/seeds --profile quick
    python judge.py seed-1 --cell-steps 1,2,4,8 -o results/steps

Each simulator answers the conditions of the embedded test split (or of --test) once; none of these
events was seen in training or selection. AUC is the worse of boosted trees and a network.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from simulacra.datasets.samples import resolve_events
from simulacra.events import Events
from simulacra.io import read_events
from simulacra.simulators.trained import TrainedSimulator
from simulacra.validation import Validation, validate

SEED = 1
FEATURES = ("cells", "normalised", "high-level")


def variants(folders: list[Path], steps: list[int]) -> Iterator[tuple[str, TrainedSimulator]]:
    """Yield the simulators, or each with other numbers of steps for the cells."""
    for folder in folders:
        simulator = TrainedSimulator.load(folder)
        if not steps:
            yield folder.name, simulator
        for number in steps:
            network = simulator.surrogate.network
            network.config = network.config.model_copy(update={"cell_steps": number})
            yield f"{folder.name}, {number} steps", simulator


def scores(validation: Validation) -> dict[str, object]:
    """Return the numbers of one line."""
    samples = validation.samples
    assert samples is not None
    found: dict[str, object] = {}
    for features in FEATURES:
        both = [a for a in samples.classifier_tests if a.features == features]
        worse = max(both, key=lambda a: a.auc.value)
        worst = max(both, key=lambda a: a.energies[a.worst].value)
        found[f"AUC {features}"] = {
            "value": worse.auc.value,
            "error": worse.auc.error,
            "classifier": worse.classifier,
            "floor": None if worse.baseline_auc is None else worse.baseline_auc.estimate.value,
            "worst energy": worst.worst,
            "worst value": worst.energies[worst.worst].value,
            "worst error": worst.energies[worst.worst].error,
        }
    for score in samples.scores:
        found[score.name] = {
            "value": score.score.value,
            "error": score.score.error,
            "floor": None if score.baseline is None else score.baseline.estimate.value,
        }
    energies = {}
    for group in validation.energies:
        metrics = group.comparisons[validation.primary_observable].metrics
        energies[group.label] = {
            "events": group.n_reference,
            "mean": [metrics["mean_ratio"].value, metrics["mean_ratio"].error],
            "width": [metrics["width_ratio"].value, metrics["width_ratio"].error],
        }
    found["energies"] = energies
    assert validation.pooled is not None
    found["separation"] = {
        name: [c.metrics["separation"].value, c.baseline.mean, c.verdict]
        for name, c in validation.pooled.comparisons.items()
    }
    if validation.resolution is not None:
        fit = validation.resolution
        found["resolution"] = {
            who: {term: [e.value, e.error] for term, e in part.terms.items()}
            for who, part in (("Geant4", fit.reference), ("generated", fit.generated))
        } | {"pulls": {k: v if np.isfinite(v) else None for k, v in fit.pulls.items()}}
    return found


def line(name: str, found: dict[str, object]) -> str:
    """Return one row of the Markdown table."""
    cells = [name]
    for features in FEATURES:
        auc = found[f"AUC {features}"]
        cells.append(f"{auc['value']:.3f} ± {auc['error']:.3f} ({auc['floor']:.3f})")
        if features != "normalised":
            cells.append(
                f"{auc['worst value']:.3f} ± {auc['worst error']:.3f} {auc['worst energy']}"
            )
    rest = (found[key] for key in ("fpd", "recall_cells", "coverage_cells"))
    cells += [f"{score['value']:.3g} ({score['floor']:.3g})" for score in rest]
    mean = max(abs(e["mean"][0] - 1) for e in found["energies"].values())
    width = max(found["energies"].values(), key=lambda e: abs(np.log(e["width"][0])))["width"]
    cells += [f"{100 * mean:.2f} %", f"{width[0]:.2f} ± {width[1]:.2f}"]
    separations = found["separation"].values()
    cells.append(f"{max(value / max(floor, 1e-6) for value, floor, _ in separations):.2f}")
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| | AUC cells (floor) | worst energy | AUC normalised | AUC high-level | worst energy "
    "| FPD (floor) | recall | coverage | largest shift of the mean | worst width ratio "
    "| largest S / floor |\n" + "|---" * 12 + "|\n"
)


def main() -> None:
    """Judge, and write a table and all numbers; what was judged before is taken from there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulators", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    parser.add_argument("--profile", choices=("quick", "official"), default="quick")
    parser.add_argument("--cell-steps", default="", help="1,2,4")
    parser.add_argument(
        "--test", nargs="+", default=["sample:test"], help="full simulation to judge by"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    test = Events.concatenate([read_events(resolve_events(name)) for name in arguments.test])
    steps = [int(number) for number in arguments.cell_steps.split(",") if number]
    numbers = arguments.output.with_suffix(".json")
    results = json.loads(numbers.read_text(encoding="utf-8")) if numbers.is_file() else {}
    for name, simulator in variants(arguments.simulators, steps):
        if name in results:
            continue
        generated = simulator.simulate(test.conditions, SEED)
        found = scores(validate(test, generated, seed=SEED, profile=arguments.profile))
        results[name] = found | {"training": dict(simulator.about), "profile": arguments.profile}
        numbers.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(results, indent=1, allow_nan=False)
        numbers.write_text(text + "\n", encoding="utf-8")
    lines = [line(name, found) for name, found in results.items()]
    table = HEAD + "\n".join(lines) + "\n"
    arguments.output.with_suffix(".md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
