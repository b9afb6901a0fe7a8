"""Check the Geant4 simulation of ``atlas-barrel`` against an independent one, and time it.

    python benchmarks/geant4/check.py compare REFERENCE.h5 EVENTS.h5
    python benchmarks/geant4/check.py replay REFERENCE.h5 REFERENCE_SCRIPT.py -n 40
    python benchmarks/geant4/check.py timing REFERENCE_SCRIPT.py -n 40
    python benchmarks/geant4/check.py scaling -n 40

``compare`` sets events of ``simulacra simulate`` beside those of the same energy that other code
made. ``replay`` is sharper: it gives our simulation the primaries and the random seeds of the first
events of that file and compares cell by cell. ``timing`` runs that code's script (``python SCRIPT
time GEV N``) and ours in turn on one core and compares the CPU time of their processes, less that
of a run with a single event: what Geant4 itself costs per GeV.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.geant4 import Chunk, run_chunk
from simulacra.fullsim.setup import Primaries
from simulacra.io import read_events

DETECTOR = load_detector("atlas-barrel")
SETTINGS = Geant4Settings(particle="gamma")
FloatArray = NDArray[np.float64]


def photons(gev: float, n: int, seed: int) -> Conditions:
    """Return the conditions of ``n`` photons in the beam spot."""
    return draw_conditions(DETECTOR, EnergySpectrum((gev * 1000,)), n, np.random.default_rng(seed))


def summary(events: Events) -> dict[str, tuple[float, float]]:
    """Return each quantity with its statistical error."""
    response = events["showers"].sum(axis=1, dtype=np.float64) / events.conditions["energy"]
    rows = {
        "response mean": mean_and_error(response),
        "response width": width_and_error(response),
        "response width, central 68 %": core_and_error(response),
    }
    for layer in DETECTOR.layers:
        energy = events["showers"][:, layer.cells].sum(axis=1, dtype=np.float64)
        rows[f"fraction {layer.name}"] = mean_and_error(
            energy / events["showers"].sum(axis=1, dtype=np.float64)
        )
    return rows


def mean_and_error(values: FloatArray) -> tuple[float, float]:
    """Return mean and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def width_and_error(values: FloatArray) -> tuple[float, float]:
    """Return the standard deviation and its error, which long tails enlarge."""
    width, n = float(values.std(ddof=1)), len(values)
    fourth = float(((values - values.mean()) ** 4).mean())
    return width, float(np.sqrt(max(fourth / width**4 - 1, 0) / (4 * n))) * width


def core_and_error(values: FloatArray) -> tuple[float, float]:
    """Return half the width of the central 68 % and its error (bootstrap): blind to rare leaks."""
    rng = np.random.default_rng(0)
    samples = rng.choice(values, (200, len(values)))
    widths = np.diff(np.quantile(samples, [0.16, 0.84], axis=1), axis=0) / 2
    low, high = np.quantile(values, [0.16, 0.84])
    return float(high - low) / 2, float(widths.std())


def compare(arguments: argparse.Namespace) -> Table:
    """Set events beside the reference's of the same energy."""
    reference, events = (read_events(p, DETECTOR) for p in (arguments.reference, arguments.events))
    energy = events.conditions["energy"][0]
    reference = reference.take(np.isclose(reference.conditions["energy"], energy))
    title = f"{len(events)} photons of {energy / 1000:g} GeV and {len(reference)} of the reference"
    table = Table("quantity", "simulacra", "reference", "ratio", "pull", title=title)
    for name, (value, error) in summary(events).items():
        other, other_error = summary(reference)[name]
        table.add_row(
            name,
            f"{value:.5f} ± {error:.5f}",
            f"{other:.5f} ± {other_error:.5f}",
            f"{value / other:.4f}",
            f"{(value - other) / np.hypot(error, other_error):+.2f}",
        )
    return table


def replay(arguments: argparse.Namespace) -> Table:
    """Simulate the first events of the reference with its own primaries and random seeds."""
    reference = read_events(arguments.reference, DETECTOR).take(slice(arguments.n))
    spec = importlib.util.spec_from_file_location("reference_script", arguments.script)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    energy, x, y = (column[: arguments.n] for column in script.primaries(0, False))
    seed = 4000  # of the script's first chunk; it seeds the engine with these two numbers
    seeds = np.array([[seed * 2 + 12345, seed * 7 + 6789]])
    primaries = Primaries(
        pdg=np.full(len(energy), SETTINGS.pdg),
        energy=energy,
        direction=np.tile([0.0, 0.0, 1.0], (len(energy), 1)),
        position=np.column_stack([x, y, np.full(len(energy), DETECTOR.beam.z)]),
    )
    with WorkerPool(1) as pool:
        chunk = Chunk(CalorimeterSetup(DETECTOR), SETTINGS, primaries, seeds)
        showers = pool.submit(run_chunk, chunk).result().response["showers"]
    table = Table("energies", "hit cells", "largest cell", "largest difference", title="replay")
    table.add_row(
        f"{energy.min() / 1000:g} to {energy.max() / 1000:g} GeV",
        f"{np.count_nonzero(showers)} / {np.count_nonzero(reference['showers'])}",
        f"{showers.max():.1f} MeV",
        f"{np.abs(showers - reference['showers']).max():.2g} MeV",
    )
    return table


def timing(arguments: argparse.Namespace) -> Table:
    """Time this package and the reference script in turn on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    def ours(n: int) -> None:
        Geant4Simulator(DETECTOR, SETTINGS).simulate(photons(arguments.energy, n, n), 1)

    def theirs(n: int) -> None:
        command = [sys.executable, str(arguments.script), "time", str(arguments.energy), str(n)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    table = Table("round", "simulacra", "reference", "ratio", title=title(arguments))
    rounds = []
    for number in range(arguments.rounds):
        rounds.append([cpu_per_gev(run, arguments.energy, arguments.n) for run in (ours, theirs)])
        table.add_row(str(number), *timing_cells(rounds[-1]))
    table.add_row("median", *timing_cells(np.median(rounds, axis=0).tolist()))
    return table


def timing_cells(pair: list[float]) -> list[str]:
    """Return two times and their ratio as text."""
    return [*(f"{seconds * 1000:.2f} ms/GeV" for seconds in pair), f"{pair[0] / pair[1]:.3f}"]


def cpu_per_gev(run: Callable[[int], None], gev: float, n: int) -> float:
    """Return CPU seconds per GeV of the processes that ``run`` starts, without their start-up."""

    def cpu(events: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(events)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    start_up = cpu(1)
    return (cpu(n) - start_up) / (gev * (n - 1))


def scaling(arguments: argparse.Namespace) -> Table:
    """Measure the throughput of one and of several workers that are warm."""
    table = Table("workers", "GeV/s", "events/s", "gain", title=title(arguments))
    first = None
    for workers in sorted({1, arguments.workers}):
        with WorkerPool(workers) as pool:
            simulator = Geant4Simulator(DETECTOR, SETTINGS, executor=pool)
            simulator.simulate(photons(60.0, 2 * workers, 0), 0)  # a chunk each: Geant4 gets ready
            start = time.perf_counter()
            simulator.simulate(photons(arguments.energy, arguments.n, 1), 1)
            rate = arguments.n / (time.perf_counter() - start)
        first = first or rate
        gev = f"{rate * arguments.energy:.1f}"
        table.add_row(str(workers), gev, f"{rate:.2f}", f"{rate / first:.2f}")
    return table


def title(arguments: argparse.Namespace) -> str:
    """Return what was done."""
    return f"{arguments.mode}: {arguments.n} photons of {arguments.energy:g} GeV"


def main() -> None:
    """Run one of the modes and print its table."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("-n", type=int, default=400, help="events")
    shared.add_argument("--energy", type=float, default=16.0, help="GeV")
    shared.add_argument("--workers", type=int, default=2)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    modes = parser.add_subparsers(dest="mode", required=True)
    mode = modes.add_parser("compare")
    mode.add_argument("reference", type=Path, help="events file of the independent simulation")
    mode.add_argument("events", type=Path, help="events of simulacra simulate, one energy")
    mode.set_defaults(run=compare)
    mode = modes.add_parser("replay", parents=[shared])
    mode.add_argument("reference", type=Path, help="events file of the independent simulation")
    mode.add_argument("script", type=Path, help="script that made it")
    mode.set_defaults(run=replay)
    mode = modes.add_parser("timing", parents=[shared])
    mode.add_argument("script", type=Path, help="script of the independent simulation")
    mode.add_argument("--rounds", type=int, default=3)
    mode.set_defaults(run=timing)
    mode = modes.add_parser("scaling", parents=[shared])
    mode.set_defaults(run=scaling)
    arguments = parser.parse_args()
    Console().print(arguments.run(arguments))


if __name__ == "__main__":
    main()
