"""Measure what a validation costs: time, processor time and memory of one process.

    python benchmarks/validation/check.py make calochallenge-2 -n 100000 FOLDER
    python benchmarks/validation/check.py measure FOLDER --profile none --detector calochallenge-2

``make`` writes two files of parametrised showers with the package's own writer, ``reference.h5``
and ``generated.h5`` (5 % wider): a gamma distribution along, two exponentials across, cells that
fluctuate and are empty below a threshold. They are no physics, but they fill cells, take memory and
compress as showers do. ``measure`` runs ``simulacra validate`` on them in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.detectors import Calorimeter, load_detector
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.events import Events
from simulacra.io import write_events

FloatArray = NDArray[np.float64]
SAMPLES = {"reference": (1, 1.0), "generated": (2, 1.05)}
"""Seed and width of each sample."""
THRESHOLD = 0.5e-3 / 0.033
"""Energy in MeV below which a cell is empty: CaloChallenge's for its dataset 2."""
GRAIN = 20.0
"""Energy in MeV that fluctuates as one: with it a cell of 20 MeV varies by 100 %."""
ROWS = 1000
"""Events that are drawn together."""


def showers(
    detector: Calorimeter, energy: FloatArray, width: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return cells (n, cells) in MeV for incident energies (n,) in MeV."""
    along, across = shapes(detector, width)
    peak = 2.0 + 0.5 * np.log(energy / 1000) + rng.normal(0, 0.4, len(energy))
    profile = along[None, :] ** peak[:, None] * np.exp(-along)[None, :]
    profile *= (energy * rng.normal(0.95, 0.02, len(energy)) / profile.sum(axis=1))[:, None]
    cells = np.empty((len(energy), detector.n_cells), np.float32)
    for layer, column in zip(detector.layers, profile.T, strict=True):
        mean = column[:, None] * across[layer.name]
        drawn = GRAIN * rng.standard_gamma(mean / GRAIN)
        cells[:, layer.cells] = np.where(drawn < THRESHOLD, 0.0, drawn)
    return cells


def shapes(detector: Calorimeter, width: float) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return each layer's depth in units of the shower's, and its cells' shares of the energy."""
    depth = np.array([layer.depth for layer in detector.layers])
    along = (depth - depth[0] + 0.02 * np.ptp(depth)) / (0.09 * np.ptp(depth))
    across = {}
    for layer, t in zip(detector.layers, along, strict=True):
        distance = np.hypot(layer.x, layer.y) / (width * (1 + 0.15 * t))
        share = (np.exp(-distance / 4) + 0.02 * np.exp(-distance / 16)) * areas(layer.segmentation)
        across[layer.name] = share / share.sum()
    return along, across


def areas(segmentation: object) -> FloatArray | float:
    """Return what cells' areas are in proportion to."""
    if not isinstance(segmentation, PolarSegmentation):
        return 1.0
    edges = np.asarray(segmentation.r_edges)
    return np.tile(np.diff(edges**2), segmentation.alpha)


def make(arguments: argparse.Namespace) -> Table:
    """Write both samples."""
    detector = load_detector(arguments.detector)
    assert isinstance(detector, Calorimeter)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    table = Table("sample", "seed", "events x cells", "cells without energy", "file")
    for name, (seed, width) in SAMPLES.items():
        rng = np.random.default_rng(seed)
        spectrum = EnergySpectrum.parse(arguments.energy)
        conditions = draw_conditions(detector, spectrum, arguments.n, rng)
        energy = conditions["energy"].astype(np.float64)
        cells = np.empty((arguments.n, detector.n_cells), np.float32)
        for i in range(0, arguments.n, ROWS):
            cells[i : i + ROWS] = showers(detector, energy[i : i + ROWS], width, rng)
        path = arguments.folder / f"{name}.h5"
        write_events(Events(conditions, {"showers": cells}, detector), path, arguments.format)
        empty, size = 1 - np.count_nonzero(cells) / cells.size, path.stat().st_size / 1e6
        table.add_row(
            name, str(seed), f"{len(cells)} x {detector.n_cells}", f"{empty:.1%}", f"{size:.0f} MB"
        )
    return table


def measure(arguments: argparse.Namespace) -> Table:
    """Validate the samples of a folder in a process of its own."""
    files = [str(arguments.folder / f"{name}.h5") for name in SAMPLES]
    command = [sys.executable, "-m", "simulacra", "validate", *files]
    command += ["--profile", arguments.profile, "-o", str(arguments.folder / "report")]
    if arguments.detector is not None:
        command += ["--detector", arguments.detector]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # it has had this one child
    table = Table("profile", "threads", "wall, s", "processor, s", "peak memory, GB", "load before")
    table.add_row(
        arguments.profile,
        os.environ.get("OMP_NUM_THREADS", "as many as cores"),
        f"{wall:.0f}",
        f"{used.ru_utime + used.ru_stime:.0f}",
        f"{used.ru_maxrss / 1024**2:.2f}",
        f"{arguments.load:.1f}",
    )
    return table


def main() -> None:
    """Run one of the modes and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    modes = parser.add_subparsers(dest="mode", required=True)
    mode = modes.add_parser("make")
    mode.add_argument("detector", help="a shipped calorimeter")
    mode.add_argument("folder", type=Path, help="where the two files appear")
    mode.add_argument("-n", type=int, default=1000, help="events of each sample")
    mode.add_argument("--energy", default="1GeV..1TeV", help="as simulacra simulate has it")
    mode.add_argument("--format", help="of the files; the native one where it is not given")
    mode.set_defaults(run=make)
    mode = modes.add_parser("measure")
    mode.add_argument("folder", type=Path, help="where make wrote")
    mode.add_argument("--profile", default="none", help="as simulacra validate has it")
    mode.add_argument("--detector", help="where the files do not say it")
    mode.set_defaults(run=measure, load=os.getloadavg()[0])
    arguments = parser.parse_args()
    Console().print(arguments.run(arguments))


if __name__ == "__main__":
    main()
