"""How voxels around the particle depend on the squares that fill them.

    python benchmarks/geant4/voxels.py par04-siw-fine 0.155 0.0775 0.03875 -n 40

Photons of 2 GeV, straight, in plates of 124 mm (Geant4 numbers at most 2^31 squares); the first
three rings of layers 5 to 20. CPU time is that of the worker without its start.
"""

from __future__ import annotations

import argparse
import resource

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.detectors import load_detector, parse_detector
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool

PHOTONS = Geant4Settings(particle="gamma")
LAYERS = slice(5, 21)


def usage() -> tuple[float, float]:
    """Return CPU seconds and the largest memory (MB) of the workers that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure(name: str, size: float, n: int) -> list[str]:
    """Return a row of the table for squares of ``size`` mm."""
    content = yaml.safe_load(load_detector(name).to_yaml())
    content["volume"]["width"], content["beam"]["theta"] = [124.0, 124.0], [0.0, 0.0]
    content["stack"][0]["readout"]["segmentation"]["scored"] = size
    detector = parse_detector(yaml.safe_dump(content))
    spectrum = EnergySpectrum((2000.0,))
    conditions = draw_conditions(detector, spectrum, n, np.random.default_rng(5))

    def simulated(some: Conditions) -> tuple[np.ndarray, float]:
        before = usage()[0]
        with WorkerPool(1) as pool:
            showers = Geant4Simulator(detector, PHOTONS, executor=pool).simulate(some, 7)["showers"]
        return showers, usage()[0] - before

    showers, cpu = simulated(conditions)
    start = simulated(conditions.take(slice(1)))[1]
    cells = showers.reshape(n, len(detector.layers), *detector.layers[0].shape)[:, LAYERS]
    filled = [(cells[..., ring] > 0).mean(axis=(1, 2)) for ring in range(3)]
    sectors = cells[..., 0].mean(axis=(0, 1))
    return [
        f"{size:g} mm",
        *(f"{100 * p.mean():.1f} ± {100 * p.std() / np.sqrt(n):.1f} %" for p in filled),
        f"{sectors.min() / sectors.mean():.2f} … {sectors.max() / sectors.mean():.2f}",
        f"{1000 * (cpu - start) / (n - 1):.0f} ms",
        f"{usage()[1]:.0f} MB",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("detector")
    parser.add_argument("sizes", type=float, nargs="+", help="mm")
    parser.add_argument("-n", type=int, default=40, help="photons")
    arguments = parser.parse_args()
    rings = [f"ring {ring} filled" for ring in range(3)]
    table = Table("squares", *rings, "sectors of ring 0", "CPU / event", "memory")
    for size in arguments.sizes:
        table.add_row(*measure(arguments.detector, size, arguments.n))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
