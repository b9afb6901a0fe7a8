"""Measure the monitor on atlas-barrel: what it finds and names, and its false alarms.

    python benchmarks/monitoring/measure.py -o benchmarks/monitoring/results/atlas-barrel.json

Reference: sample:train. Data: sample:test without the energy that train lacks, shuffled (seed 1).
The first half is fault-free, the second half gets the faults.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

import simulacra as sim
from simulacra.events import Events
from simulacra.faults import Scenario, Step
from simulacra.files.json_values import plain
from simulacra.monitoring import Monitor
from simulacra.validation.classifiers.auc import auc

RATE = 1e-3
SIZES = (100, 1000)
MOST_WINDOWS = 10
FAULTS = {
    "dead cell of the window": ("dead-cells", {"layer": "middle", "cells": [24]}, (0.03, 0.1, 1)),
    "dead cell of the detector": (
        "dead-cells",
        {"layer": "middle", "grid": [[8, 8]]},
        (0.1, 0.3, 1),
    ),
    "dead board of 8 strips": (
        "dead-board",
        {"layer": "strips", "cells": list(range(73, 97, 3))},
        (0.03, 0.1, 1),
    ),
    "hot cell of the window": ("hot-cells", {"layer": "back", "cells": [3]}, (1, 5, 25)),
    "gain of the strips": ("gain", {"layer": "strips"}, (-0.01, -0.02, -0.05)),
    "gain of a cell": ("gain", {"layer": "middle", "cells": [24]}, (-0.01, -0.05, -0.2)),
    "cross-talk in the middle": ("cross-talk", {"layer": "middle"}, (0.002, 0.01, 0.05)),
    "pedestal of the strips": ("pedestal", {"layer": "strips"}, (0.1, 0.5, 2)),
    "noise of the middle": ("noise", {"layer": "middle"}, (1, 5, 20)),
    "coherent noise of the strips": ("coherent-noise", {"layer": "strips"}, (0.2, 1, 5)),
    "saturation": ("saturation", {"layer": "middle"}, (0.01, 0.02, 0.1)),
    "misaligned strips": ("misalignment-x", {"layer": "strips"}, (0.2, 0.5, 2)),
}
"""Fault, place and strengths in the units of `simulacra faults`."""


def named(finding: object, fault: str) -> bool:
    """Return whether a finding names the struck place: its cell, or else its layer."""
    where, place = finding.where, FAULTS[fault][1]  # type: ignore[attr-defined]
    layer = place["layer"]
    if "grid" in place:
        return where == f"{layer}({', '.join(map(str, place['grid'][0]))})"
    if "cells" in place:
        return where in {f"{layer}[{cell}]" for cell in place["cells"]}
    return (
        where == layer
        or where.startswith((f"{layer}[", f"{layer}("))
        or where.endswith(f".{layer}")
    )


def first_cell(findings: tuple, fault: str) -> bool:  # type: ignore[type-arg]
    """Return whether the first finding that is a place in the detector names the struck one."""
    exact = FAULTS[fault][1]
    kinds = ("cell",) if "grid" in exact else ("place",) if "cells" in exact else ()
    places = [f for f in findings if not kinds or f.grouping in kinds]
    return bool(places) and named(places[0], fault)


def windows_of(events: Events, size: int) -> list[Events]:
    """Return disjoint windows, at most ``MOST_WINDOWS``."""
    count = min(len(events) // size, MOST_WINDOWS)
    return [events.take(slice(i * size, (i + 1) * size)) for i in range(count)]


def main() -> None:
    """Measure and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    output = parser.parse_args().output
    reference, test = sim.load_sample("train"), sim.load_sample("test")
    test = test.take(np.isin(test["energy"], np.unique(reference["energy"])))
    test = test.take(np.random.default_rng(1).permutation(len(test)))
    clean, struck = test.take(slice(0, len(test) // 2)), test.take(slice(len(test) // 2, None))
    monitors, facts = {}, {"rate": RATE, "seed": 1, "monitors": {}}
    for size in SIZES:
        start = time.process_time()
        monitor = monitors[size] = Monitor.fit(reference, size, RATE, seed=1)
        fit = time.process_time() - start
        start = time.process_time()
        p_values = [monitor.judge(w).p_value for n in [size] for w in _all(test, n)]
        seconds = time.process_time() - start
        facts["monitors"][size] = {
            "fit_s": fit,
            "fault_free_windows": len(p_values),
            "fault_free_alarms": sum(p < RATE for p in p_values),
            "fault_free_p": sorted(p_values),
            "ms_per_event": 1e3 * seconds / (len(p_values) * size),
            "stretch": monitor.stretch,
            "power": monitor.power,
            "support": monitor.support,
        }
    facts["faults"] = [
        _measured(fault, strength, clean, struck, monitors)
        for fault, (_, _, strengths) in FAULTS.items()
        for strength in strengths
    ]
    output.write_text(json.dumps(plain(facts), indent=1) + "\n", encoding="utf-8")
    _print(facts)


def _all(events: Events, size: int) -> list[Events]:
    return [events.take(slice(i, i + size)) for i in range(0, len(events) - size + 1, size)]


def _measured(
    fault: str, strength: float, clean: Events, struck: Events, monitors: dict[int, Monitor]
) -> dict[str, object]:
    kind, place, _ = FAULTS[fault]
    step = Step(fault=kind, strength=strength, place=place)
    data = sim.distort(struck, Scenario(name=fault, steps=(step,)), seed=1)
    judge = monitors[SIZES[-1]].reference
    scores = [judge.event_scores(judge.look(e)) for e in (clean, data)]
    row: dict[str, object] = {"fault": fault, "strength": strength}
    for name in scores[0]:
        both = np.concatenate([s[name] for s in scores])
        row[f"auc_{name}"] = auc(both, np.arange(len(both)) >= len(scores[0][name])).value
    for size, monitor in monitors.items():
        results = [monitor.judge(w) for w in windows_of(data, size)]
        found = [r for r in results if r.alarm]
        row[f"windows_{size}"] = len(results)
        row[f"found_{size}"] = len(found)
        row[f"named_first_{size}"] = sum(first_cell(r.findings, fault) for r in found)
        row[f"first_{size}"] = results[0].findings[0].text
    return row


def _print(facts: dict[str, object]) -> None:
    show(
        "| fault | strength | AUC density | AUC channels | found in 100 | named | in 1000 | named |"
    )
    show("|---|---|---|---|---|---|---|---|")
    for r in facts["faults"]:  # type: ignore[attr-defined]
        cells = [
            r["fault"],
            f"{r['strength']:g}",
            f"{r['auc_density']:.3f}",
            f"{r['auc_channels']:.3f}",
        ]
        for size in SIZES:
            cells.append(f"{r[f'found_{size}']}/{r[f'windows_{size}']}")
            cells.append(f"{r[f'named_first_{size}']}/{r[f'found_{size}']}")
        show("| " + " | ".join(cells) + " |")
    for size, m in facts["monitors"].items():  # type: ignore[attr-defined]
        show(
            f"windows of {size}: {m['fault_free_alarms']} alarms in {m['fault_free_windows']} "
            f"fault-free windows; {m['ms_per_event']:.3g} ms per event; fit {m['fit_s']:.3g} s"
        )


def show(line: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
