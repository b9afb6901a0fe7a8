"""Mean and width of the total energy at each energy, simulators beside Geant4.

    python benchmarks/headline.py one-critic/ two-critics/ -o results

Each simulator generates the photons of the embedded test split (or of --test) five times over;
none of these events was seen in training or selection. The Geant4 column compares the training
split with them: what the ratios of two independent Geant4 samples are.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from simulacra.conditions import Conditions
from simulacra.datasets.samples import load_sample, resolve_events
from simulacra.events import Events
from simulacra.io import read_events
from simulacra.simulators.trained import TrainedSimulator
from simulacra.validation import Validation, validate

REPEAT = 5
SEED = 1
SHAPES = ("fraction", "centre_eta", "centre_phi", "width_eta", "width_phi", "hottest_cells_ratio")


def judge(folder: Path, test: Events) -> tuple[Validation, dict[str, object]]:
    """Return the comparison of a simulator with the test events, and how it was trained."""
    simulator = TrainedSimulator.load(folder)
    conditions = Conditions.concatenate([test.conditions] * REPEAT)
    validation = validate(test, simulator.simulate(conditions, SEED))
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        last = list(csv.DictReader(file))[-1]
    training = {
        "steps": int(float(last["step"])),
        "selected_step": simulator.about["selected_step"],
        "selection_score": simulator.about["selection_score"],
        "wall_minutes": float(last["seconds"]) / 60,
        "cpu_minutes": float(last["cpu_seconds"]) / 60,
    }
    return validation, training


def rows_of(validation: Validation) -> list[dict[str, object]]:
    """Return the ratios at each energy, and the mean separation power of the shapes."""
    rows = []
    for group in validation.energies:
        metrics = group.comparisons[validation.primary_observable].metrics
        shapes = [
            c.metrics["separation"].value
            for name, c in group.comparisons.items()
            if validation.observables[name].group in SHAPES
        ]
        rows.append(
            {
                "energy": group.label,
                "events": group.n_reference,
                "mean": [metrics["mean_ratio"].value, metrics["mean_ratio"].error],
                "width": [metrics["width_ratio"].value, metrics["width_ratio"].error],
                "shape_separation": float(np.mean(shapes)),
            }
        )
    return rows


def table(results: dict[str, list[dict[str, object]]]) -> str:
    """Return the Markdown table: one line for each energy."""
    names = list(results)
    head = "| energy | test events |" + "".join(
        f" {name}: mean | width | shapes |" for name in names
    )
    lines = [head, "|" + "---|" * (2 + 3 * len(names))]
    for rows in zip(*results.values(), strict=True):
        cells = []
        for row in rows:
            if row["mean"] is None:
                cells.append(" – | – | – |")
                continue
            (mean, mean_error), (width, width_error) = row["mean"], row["width"]
            cells.append(
                f" {mean:.4f} ± {mean_error:.4f} | {width:.3f} ± {width_error:.3f} "
                f"| {row['shape_separation']:.4f} |"
            )
        lines.append(f"| {rows[0]['energy']} | {rows[0]['events']} |" + "".join(cells))
    return "\n".join(lines) + "\n"


def draw(results: dict[str, list[dict[str, object]]], path: Path) -> None:
    """Draw both ratios against the energy."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    styles = {"Geant4": ("black", "s")}
    for index, (name, rows) in enumerate(results.items()):
        colour, marker = styles.get(name, (f"C{index}", "o"))
        x = np.arange(len(rows)) + (index - 1) * 0.12
        for axes, key in ((left, "mean"), (right, "width")):
            value, error = np.array([row[key] or (np.nan, np.nan) for row in rows]).T
            axes.errorbar(x, value, error, fmt=marker, ms=4, color=colour, label=name, lw=1)
    for axes, what in ((left, "mean"), (right, "width")):
        labels = [str(row["energy"]) for row in next(iter(results.values()))]
        axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
        axes.axhline(1, color="grey", lw=0.8)
        axes.set_ylabel(f"{what} of $E_{{tot}}$, generated / Geant4")
    right.set_ylim(0, 4)
    left.legend(frameon=False)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Judge the simulators and write table, JSON and plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulators", type=Path, nargs="+")
    parser.add_argument(
        "--test", nargs="+", default=["sample:test"], help="full simulation to judge by"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    test = Events.concatenate([read_events(resolve_events(name)) for name in arguments.test])
    train = load_sample("train")
    held_out = np.isin(test.conditions["energy"], train.conditions["energy"])
    floor = rows_of(validate(test.take(held_out), train))
    results, trainings = {}, {}
    for folder in arguments.simulators:
        validation, trainings[folder.name] = judge(folder, test)
        results[folder.name] = rows_of(validation)
    # the training split has no photons of the held-out energy
    blank = {"mean": None, "width": None, "shape_separation": None}
    by_energy = {row["energy"]: row for row in floor}
    first = next(iter(results.values()))
    results["Geant4"] = [by_energy.get(row["energy"], row | blank) for row in first]
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "headline.md").write_text(table(results), encoding="utf-8")
    content = {"seed": SEED, "repeat": REPEAT, "trainings": trainings, "results": results}
    text = json.dumps(content, indent=1, allow_nan=False)
    (arguments.output / "headline.json").write_text(text + "\n", encoding="utf-8")
    draw(results, arguments.output / "headline.png")


if __name__ == "__main__":
    main()
