"""Timing in processes of their own: one core, one thread, nothing else loaded."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.benchmark.result import FullResult, Speed
from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.datasets.shipped import simulator_folder
from simulacra.detectors import Detector
from simulacra.files.devices import CPU
from simulacra.files.memory import peak_memory_mb
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool
from simulacra.io import write_events
from simulacra.particles import ParticleMixture
from simulacra.units import format_energy


@dataclass(frozen=True, slots=True)
class FastTiming:
    """What the process that timed a fast simulator sends back."""

    speeds: tuple[Speed, ...]
    peak_memory_mb: float


def median_ms(
    call: Callable[[], object], seconds: float, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the median time of a call in ms: at least three calls, then until time is up."""
    call()  # the first call pays for what is only set up once
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        start = clock()
        call()
        times.append(clock() - start)
    return statistics.median(times) * 1000


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and those that it starts, on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def time_fast(
    place: str | Path,
    conditions: Conditions,
    batches: Sequence[int],
    seconds: float,
    device: str = CPU,
) -> FastTiming:
    """Time the simulator at a place in a fresh process on one core with one thread.

    On another device than the CPU, the core prepares what the device computes.
    """
    with one_core(), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        job = place, conditions, tuple(batches), seconds, device
        return pool.submit(_time_here, *job).result()


def _time_here(
    place: str | Path,
    conditions: Conditions,
    batches: tuple[int, ...],
    seconds: float,
    device: str,
) -> FastTiming:
    from simulacra.simulators.fast import FastSimulator
    from simulacra.simulators.load import load_simulator

    simulator = load_simulator(place, device)
    if "torch" in sys.modules:  # an exported file does without
        sys.modules["torch"].set_num_threads(1)
    simulate = partial(simulator.simulate, extrapolate=True)  # refused before, if at all
    speeds = []
    for batch in batches:
        rows = conditions.take(np.arange(batch) % len(conditions))
        model: Callable[[], object] = partial(simulate, rows, 1)
        if isinstance(simulator, FastSimulator):
            model = simulator.model_alone(rows)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "events.h5"
            times = [
                median_ms(call, seconds) / batch
                for call in (
                    model,
                    lambda: simulate(rows, 1),  # noqa: B023 - called at once
                    lambda: write_events(simulate(rows, 1), file),  # noqa: B023
                )
            ]
        speeds.append(Speed(batch, *times))
    return FastTiming(tuple(speeds), peak_memory_mb())


def cold_start(place: str | Path, energy: float) -> float:
    """Return the seconds from starting Python to the first event of the simulator at a place."""
    code = (
        "import sys, simulacra as s; f = s.load_simulator(sys.argv[1]); "
        "p = f.particles[0] if f.detector.particles else None; "
        "f.generate(sys.argv[2] + 'MeV', 1, 0, p, extrapolate=True)"
    )
    command = [sys.executable, "-c", code, str(place), str(energy)]
    with one_core():
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def time_full(
    detector: Detector,
    settings: Geant4Settings,
    energies: Sequence[float],
    seconds: float,
    begin: Callable[[str], None],
) -> FullResult:
    """Time Geant4 on one core at each energy (MeV), after it has been set up.

    The number of events is chosen so that each energy takes about ``seconds``; before each,
    ``begin`` is called with its name.
    """
    times: dict[float, float] = {}
    facts: Mapping[str, Any] = {}
    with one_core(), WorkerPool(1) as pool:
        simulator = Geant4Simulator(detector, settings, executor=pool)
        for energy in energies:
            begin(f"Geant4 {settings.physics} {format_energy(energy)}")
            trial = _draw(detector, energy, 2, settings.mixture)
            simulator.simulate(trial, 0)  # builds Geant4 at the first energy, warms caches later
            start = time.perf_counter()
            simulator.simulate(trial, 1)
            n = int(np.clip(seconds / (time.perf_counter() - start) * 2, 5, 2000))
            rows = _draw(detector, energy, n, settings.mixture)
            start = time.perf_counter()
            facts = simulator.simulate(rows, 2).provenance
            times[energy] = (time.perf_counter() - start) / n * 1000
        # of the pool's only worker, which holds Geant4
        peak = pool.submit(peak_memory_mb).result()
    words = f"Geant4 {facts['geant4']}, {settings.physics}, cut {facts['cut_mm']:g} mm"
    return FullResult(words, times, peak)


def _draw(
    detector: Detector, energy: float, n: int, particles: ParticleMixture | None
) -> Conditions:
    rng = np.random.default_rng(7)
    return draw_conditions(detector, EnergySpectrum((energy,)), n, rng, particles)


def disk_mb(place: str | Path) -> float:
    """Return the size of a simulator's folder or file in MB; 0 where it is code of a package."""
    path = simulator_folder(place)
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
