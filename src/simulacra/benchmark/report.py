"""A benchmark as Markdown, JSON and a picture of quality against speed."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

from matplotlib.figure import Figure

from simulacra.benchmark.result import Benchmark
from simulacra.files.atomic import whole_folder
from simulacra.units import format_energy


def write_benchmark(result: Benchmark, folder: str | Path) -> Path:
    """Write ``benchmark.md``, ``.json`` and ``.png``; the folder appears whole or not at all.

    Returns:
        The path of the Markdown table.
    """
    folder = Path(folder)
    with whole_folder(folder) as part:
        (part / "benchmark.md").write_text(markdown(result), encoding="utf-8")
        text = json.dumps(result.to_json(), indent=1, sort_keys=True)
        (part / "benchmark.json").write_text(text + "\n", encoding="utf-8")
        _figure(result).savefig(part / "benchmark.png", dpi=130)
    return folder / "benchmark.md"


def markdown(result: Benchmark) -> str:
    """Return the tables: time per event, what else it costs, quality, speed-up per energy."""
    facts = result.facts
    parts = [
        f"Detector {facts['detector']}, {facts['events']} reference events; one core of "
        f"{facts['processor']} ({facts['cores']} cores), one thread.",
        _speed_table(result),
        _cost_table(result),
    ]
    if result.full:
        parts += [_geant4_table(result), _speed_up_table(result)]
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _speed_table(result: Benchmark) -> str:
    head = ["simulator", "batch", "network, ms/event", "simulate, ms/event", "with file, ms/event"]
    rows = [
        [r.name, f"{s.batch}", f"{s.network:.4g}", f"{s.simulate:.4g}", f"{s.service:.4g}"]
        for r in result.fast
        for s in r.speeds
    ]
    return _table(head, rows)


def _cost_table(result: Benchmark) -> str:
    head = ["simulator", "cold start, s", "peak memory, MB", "disk, MB"]
    names = list(result.fast[0].quality) if result.fast else []
    rows = [
        [r.name, f"{r.cold_start_s:.2f}", f"{r.peak_memory_mb:.0f}", f"{r.disk_mb:.1f}"]
        + [f"{r.quality[name]:.4g}" for name in names]
        for r in result.fast
    ]
    return _table(head + [name.replace("_", " ") for name in names], rows)


def _geant4_table(result: Benchmark) -> str:
    energies = list(result.full[0].ms_per_event)
    head = ["full simulation, ms/event", *map(format_energy, energies), "peak memory, MB"]
    rows = [
        [r.physics, *(f"{r.ms_per_event[e]:.4g}" for e in energies), f"{r.peak_memory_mb:.0f}"]
        for r in result.full
    ]
    return _table(head, rows)


def _speed_up_table(result: Benchmark) -> str:
    """Return Geant4's time over each of the three times of a simulator, energy by energy."""
    head = ["speed-up of", "batch", "over", "at", "network", "simulate", "with file"]
    rows = []
    for fast in result.fast:
        for speed, full in product(fast.speeds, result.full):
            times = (speed.network, speed.simulate, speed.service)
            who = [fast.name, f"{speed.batch}", full.physics]
            rows += [
                [*who, format_energy(energy), *(f"{ms / time:.3g}" for time in times)]
                for energy, ms in full.ms_per_event.items()
            ]
            even = [full.break_even(time) for time in times]
            if not any(map(math.isnan, even)):
                rows.append([*who, "break-even", *map(format_energy, even)])
    return _table(head, rows)


def _figure(result: Benchmark) -> Figure:
    """Draw the mean separation power against the time per event; the baseline is a line."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for index, fast in enumerate(result.fast):
        times = [speed.service for speed in fast.speeds]
        score = fast.quality["separation"]
        axes.plot(times, [score] * len(times), "o-", color=f"C{index}", label=fast.name)
        for speed in fast.speeds:
            axes.annotate(
                f"batch {speed.batch}",
                (speed.service, score),
                textcoords="offset points",
                xytext=(0, 6),
                fontsize=7,
                ha="center",
            )
    if result.fast:
        baseline = result.fast[0].quality["baseline"]
        axes.axhline(baseline, color="black", ls="--", lw=1, label="Geant4 against Geant4")
    for full in result.full:
        low, high = min(full.ms_per_event.values()), max(full.ms_per_event.values())
        axes.axvspan(low, high, alpha=0.15, color="grey", label=full.physics)
    axes.set(xscale="log", yscale="log", xlabel="time per event, file included [ms]")
    axes.set_ylabel("mean separation power")
    axes.legend(frameon=False, fontsize=8)
    return figure
