"""Scores of reports as one table: mean and width of the response, and how far shapes are off.

    python benchmarks/systems/scores.py report-wgan-89 … -o benchmarks/systems/results/dense

reads ``metrics.json`` of each folder that ``simulacra validate`` wrote, and writes a table and the
numbers of every observable as JSON. S is the mean separation power of a group of observables over
the layers, and beside it what full simulation has against itself.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

GROUPS = {
    "layers": ("layer_energy", "fraction"),
    "centres": ("centre_",),
    "widths": ("width_",),
    "sparsity": ("sparsity",),
}
"""Columns of the table, and what the groups of observables begin with that each averages over."""
Json = dict[str, Any]


def comparisons(report: Json) -> Iterator[tuple[str, int, Json]]:
    """Yield the comparisons of all events, and of each energy where there are several."""
    parts = [report["pooled"], *report["energies"]]
    for part in parts[:1] if len(parts) == 2 else parts:
        yield part["label"], part["n_reference"], part["comparisons"]


def ratio(comparison: Json, name: str) -> str:
    """Return a ratio with its error."""
    found = comparison["metrics"][name]
    return f"{found['value']:.3f} ± {found['error'] or float('nan'):.3f}"


def separation(report: Json, found: Json, groups: tuple[str, ...]) -> str:
    """Return the mean separation power of observables, and of full simulation with itself."""
    infos = report["observables"]
    chosen = [c for name, c in found.items() if infos[name]["group"].startswith(groups)]
    of_both = np.array(
        [[c["metrics"]["separation"]["value"], c["baseline"]["mean"]] for c in chosen]
    )
    score, floor = of_both.mean(axis=0)
    return f"{score:.3f} ({floor:.3f})"


def rows(reports: dict[str, Json]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| | energy | events | mean ratio | width ratio | {' | '.join(GROUPS)} |"
    yield "|---" * (5 + len(GROUPS)) + "|"
    for name, report in reports.items():
        for label, events, found in comparisons(report):
            ratios = [
                ratio(found[report["primary_observable"]], f"{w}_ratio") for w in ("mean", "width")
            ]
            shapes = [separation(report, found, groups) for groups in GROUPS.values()]
            yield f"| {' | '.join([name, label, str(events), *ratios, *shapes])} |"


def numbers(report: Json) -> Json:
    """Return ratios, separation power and floor of every observable, energy by energy."""
    return {
        label: {
            name: {
                "mean_ratio": c["metrics"]["mean_ratio"],
                "width_ratio": c["metrics"]["width_ratio"],
                "separation": c["metrics"]["separation"]["value"],
                "floor": c["baseline"]["mean"],
                "chi2_per_ndf": c["metrics"]["chi2_per_ndf"]["value"],
                "verdict": c["verdict"],
            }
            for name, c in found.items()
        }
        for label, _, found in comparisons(report)
    }


def main() -> None:
    """Read the reports and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    arguments = parser.parse_args()
    reports = {
        folder.name.removeprefix("report-"): json.loads((folder / "metrics.json").read_text())
        for folder in arguments.reports
    }
    output: Path = arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text("\n".join(rows(reports)) + "\n", encoding="utf-8")
    content = {name: numbers(report) for name, report in reports.items()}
    output.with_suffix(".json").write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
