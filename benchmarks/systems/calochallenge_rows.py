r"""Rows as in CaloChallenge's tables (arXiv:2410.21611): a simulator's, and Geant4's own.

    python calochallenge_rows.py 1-photons flow-matching report test.h5 fast.h5 more.h5 speed \
        -o rows

``report`` is a folder of ``simulacra validate … --profile``, ``speed`` one of ``simulacra
benchmark``; ``more.h5`` holds other events of the full simulation, as many of which as there are in
``test.h5`` make Geant4's row of the separation powers. Those have CaloChallenge's bins and
threshold, and are means over layers. What the report says of whole samples goes beside the table.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from simulacra.io import read_events
from simulacra.simulators.trained import TrainedSimulator
from simulacra.validation import legacy_scores

HEAD = (
    "| | params (M) | AUC cells | normalised | high-level | FPD | KPD | CPU ms, batch {batches} "
    "| S E_layer | S E_tot | S width_η | S sparsity | S voxel | precision | recall | coverage |\n"
    + "|---" * 16
    + "|\n"
)
KEPT = ("verdicts", "invariants", "resolution", "samples", "legacy", "notes", "provenance")
"""What of a report is kept: the rest is long, and comes again with its command."""
SEPARATIONS = ("energy", "response", "width_eta", "sparsity", "voxel_energy")
BALLS = ("precision_cells", "recall_cells", "coverage_cells")


def separations(reference: Path, other: Path, dataset: str) -> list[str]:
    """Return the official separation powers, means over layers where there are several."""
    full, fast = read_events(reference), read_events(other)
    # as many events as the reference has, where the other has more
    chosen = np.sort(np.random.default_rng(1).permutation(len(fast))[: len(full)])
    scores = legacy_scores(full, fast.take(chosen), dataset).scores
    found = []
    for quantity in SEPARATIONS:
        values = [v for name, v in scores.items() if name.partition(".")[0] == quantity]
        found.append(f"{np.nanmean(values):.1e}")
    return found


def aucs(samples: dict) -> tuple[list[str], list[str]]:
    """Return the AUCs of the worse classifier of each table of features, and their floors."""
    ours, floors = [], []
    for features in ("cells", "normalised", "high-level"):
        for a in samples["classifier_tests"]:
            if a["features"] == features and samples["worse"][features] == a["classifier"]:
                ours.append(f"{a['auc']['value']:.3f} ± {a['auc']['error']:.3f}")
                floor = a["baseline_auc"]["estimate"]
                floors.append(f"{floor['value']:.3f} ± {floor['error']:.3f}")
    return ours, floors


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", help="whose bins and threshold: 1-photons, 2, …")
    parser.add_argument("simulator", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("fast", type=Path)
    parser.add_argument("more", type=Path)
    parser.add_argument("speed", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    given = parser.parse_args()
    network = TrainedSimulator.load(given.simulator).surrogate.network
    parameters = sum(p.numel() for p in network.parameters()) / 1e6
    report = json.loads((given.report / "metrics.json").read_text(encoding="utf-8"))
    samples = report["samples"]
    speeds = json.loads((given.speed / "benchmark.json").read_text(encoding="utf-8"))["fast"]
    [speed] = [f["speeds"] for f in speeds if f["name"] == given.simulator.name]
    score = {s["name"]: s for s in samples["scores"]}
    names = ("fpd", "kpd")
    ours, floor = aucs(samples)
    ours += [f"{1e3 * score[n]['score']['value']:.2f}" for n in names]
    floor += [f"{1e3 * score[n]['baseline']['estimate']['value']:.2f}" for n in names]
    ours.append(" / ".join(f"{s['network']:.3g}" for s in speed))
    ours += separations(given.test, given.fast, given.dataset)
    floor += ["–", *separations(given.test, given.more, given.dataset)]
    ours += [f"{score[n]['score']['value']:.2f}" for n in BALLS]
    floor += [f"{score[n]['baseline']['estimate']['value']:.2f}" for n in BALLS]
    batches = " / ".join(str(s["batch"]) for s in speed)
    rows = [
        [given.simulator.name, f"{parameters:.2f}", *ours],
        ["Geant4 against itself", "–", *floor],
    ]
    lines = ["| " + " | ".join(row) + " |\n" for row in rows]
    table = HEAD.format(batches=batches) + "".join(lines)
    given.output.with_suffix(".md").write_text(table, encoding="utf-8")
    text = json.dumps({key: report[key] for key in KEPT}, indent=1, allow_nan=False)
    given.output.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
