"""Measure the monitor on atlas-barrel: what it finds and names, and its false alarms.

    python benchmarks/monitoring/measure.py faults -o benchmarks/monitoring/results/faults.json
    python benchmarks/monitoring/measure.py stream -o benchmarks/monitoring/results/stream.json
    python benchmarks/monitoring/measure.py orders -o benchmarks/monitoring/results/orders.json

Reference: sample:train. Data: sample:test without the energy that train lacks, shuffled (seed 1).
Windows are of all of them with the fault. The AUC of single events is between the first half
without and the second half with it. ``stream`` counts the false alarms of events of the shipped
simulator against other events of it. ``orders`` counts those of the test events without a fault.
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
from simulacra.monitoring import Monitor, WindowResult
from simulacra.validation.classifiers.auc import auc

RATE = 1e-3
SIZES = (100, 1000)
MOST_WINDOWS = 10
ORDERS = 10
"""Orders of the fault-free test events; windows of different orders share events."""
DEVELOPMENT = 5000
"""Events of sample:train that are a reference for the others."""
STREAM_REFERENCE, STREAM = 10_000, 30_000
STREAM_RATES = (0.1, 1e-2, 1e-3)
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


def named_first(result: WindowResult, fault: str) -> bool:
    """Return whether the first part of the detector that a verdict names is the struck one.

    That is the cell where cells are struck, and the layer, or a cell of it, where a layer is.
    """
    place = FAULTS[fault][1]
    layer = place["layer"]
    if "grid" in place:
        kinds, right = ("cell",), {f"{layer}({', '.join(map(str, place['grid'][0]))})"}
    elif "cells" in place:
        kinds, right = ("place",), {f"{layer}[{cell}]" for cell in place["cells"]}
    else:
        return result.place is not None and result.place.where.startswith(layer)
    first = next((f.where for f in result.findings if f.grouping in kinds), None)
    return first in right


def windows_of(events: Events, size: int) -> list[Events]:
    """Return disjoint windows, at most ``MOST_WINDOWS``."""
    count = min(len(events) // size, MOST_WINDOWS)
    return [events.take(slice(i * size, (i + 1) * size)) for i in range(count)]


def main() -> None:
    """Measure and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("part", choices=("faults", "stream", "orders"))
    given = parser.parse_args()
    facts = {"faults": _faults, "stream": _stream, "orders": _orders}[given.part]()
    text = json.dumps(plain(facts), indent=1) + "\n"
    given.output.write_text(text, encoding="utf-8")
    if given.part == "faults":
        _print(facts)
    else:
        show(text)


def _faults() -> dict[str, object]:
    reference, test = _samples()
    clean = test.take(slice(0, len(test) // 2))
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
            "stretch": monitor.calibration.stretch,
            "support": monitor.support,
        }
    facts["faults"] = [
        _measured(fault, strength, clean, test, monitors)
        for fault, (_, _, strengths) in FAULTS.items()
        for strength in strengths
    ]
    return facts


def _samples() -> tuple[Events, Events]:
    """Return the reference, and the test events of its energies in another order."""
    reference, test = sim.load_sample("train"), sim.load_sample("test")
    test = test.take(np.isin(test["energy"], np.unique(reference["energy"])))
    return reference, test.take(np.random.default_rng(1).permutation(len(test)))


def _orders() -> dict[str, object]:
    """Return how often small fault-free windows of test events have small probabilities."""
    reference, test = _samples()
    order = np.random.default_rng(9).permutation(len(reference))
    parts = reference.take(order[:DEVELOPMENT]), reference.take(order[DEVELOPMENT:])
    return {
        "sample:test against sample:train": _small(reference, test),
        "the rest of sample:train against 5000 events of it": _small(*parts),
    }


def _small(reference: Events, test: Events) -> dict[str, object]:
    size = SIZES[0]
    monitor = Monitor.fit(reference, size, RATE, seed=1)
    p_values = np.array(_in_orders(monitor, test, size))
    return {
        "events": len(test),
        "window": size,
        "orders": ORDERS,
        "windows": len(p_values),
        "below": {f"{rate:g}": int((p_values < rate).sum()) for rate in STREAM_RATES},
        "least": np.sort(p_values)[:10],
        "stretch": monitor.calibration.stretch,
        "support": monitor.support,
    }


def _stream() -> dict[str, object]:
    """Return the false alarms of a fault-free stream of the shipped simulator, against itself."""
    simulator = sim.load_simulator("atlas-barrel-photons")
    made = [
        sim.generate(simulator, energy="1GeV..262GeV", n=n, seed=seed)
        for seed, n in ((11, STREAM_REFERENCE), (12, STREAM))
    ]
    found: dict[str, object] = {"reference": STREAM_REFERENCE, "events": STREAM}
    for size in SIZES:
        monitor = Monitor.fit(made[0], size, RATE, seed=1)
        p_values = np.array([monitor.judge(w).p_value for w in _all(made[1], size)])
        found[f"windows_{size}"] = len(p_values)
        for rate in STREAM_RATES:
            found[f"alarms_{size}_{rate:g}"] = int((p_values < rate).sum())
        found[f"stretch_{size}"] = monitor.calibration.stretch
        found[f"support_{size}"] = monitor.support
    return found


def _all(events: Events, size: int) -> list[Events]:
    return [events.take(slice(i, i + size)) for i in range(0, len(events) - size + 1, size)]


def _in_orders(monitor: Monitor, events: Events, size: int) -> list[float]:
    """Return the probabilities of windows of the events in other orders."""
    look = monitor.reference.look(events)
    found = []
    for seed in range(ORDERS):
        order = np.random.default_rng(100 + seed).permutation(len(look))
        for i in range(0, len(look) - size + 1, size):
            families = monitor.families(look.take(order[i : i + size]))
            found.append(monitor.calibration.probability(families))
    return found


def _measured(
    fault: str, strength: float, clean: Events, struck: Events, monitors: dict[int, Monitor]
) -> dict[str, object]:
    kind, place, _ = FAULTS[fault]
    step = Step(fault=kind, strength=strength, place=place)
    data = sim.distort(struck, Scenario(name=fault, steps=(step,)), seed=1)
    judge = monitors[SIZES[-1]].reference
    half = data.take(slice(len(data) // 2, None))
    scores = [judge.event_scores(judge.look(e)) for e in (clean, half)]
    row: dict[str, object] = {"fault": fault, "strength": strength}
    for name in scores[0]:
        both = np.concatenate([s[name] for s in scores])
        row[f"auc_{name}"] = auc(both, np.arange(len(both)) >= len(scores[0][name])).value
    for size, monitor in monitors.items():
        results = [monitor.judge(w) for w in windows_of(data, size)]
        found = [r for r in results if r.alarm]
        row[f"windows_{size}"] = len(results)
        row[f"found_{size}"] = len(found)
        row[f"named_first_{size}"] = sum(named_first(r, fault) for r in found)
        row[f"first_{size}"] = results[0].findings[0].text
    sys.stderr.write(json.dumps(plain(row)) + "\n")
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
