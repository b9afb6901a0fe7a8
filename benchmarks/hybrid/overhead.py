"""What watching costs: CPU time of the same showers in full and in hybrid simulation.

    python benchmarks/hybrid/overhead.py -n 40 --rounds 3

Photons of 16 GeV with equal random seeds, once through the Geant4 of ``simulacra simulate`` and
once through the hybrid one, with a rule that asks for photons of higher energy only: nobody is
taken away. Each in a process of its own, in turn.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from rich.console import Console

from simulacra.detectors import Calorimeter, load_detector
from simulacra.fullsim import Geant4Settings, WorkerPool
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.geant4 import Chunk, run_chunk
from simulacra.fullsim.setup import Experiment
from simulacra.hybrid import Primaries, Rule
from simulacra.hybrid.geant4 import HybridSetup
from simulacra.hybrid.regions import Region
from simulacra.hybrid.setup import Setup

ENERGY, X, Y = 16_000.0, 3.0, 5.0
SETTINGS = Geant4Settings(particle="gamma")


def seeds(n: int) -> np.ndarray:
    """Return the random seeds of each photon (n, 2)."""
    return np.random.default_rng(1).integers(1, 2**31, (n, 2))


def in_full(n: int) -> tuple[float, float]:
    """Return CPU time in s and deposited energy in MeV of n photons in full simulation."""
    return _timed(CalorimeterSetup(_barrel().layers), "showers", n)


def in_hybrid(n: int) -> tuple[float, float]:
    """Return the same in hybrid simulation."""
    region = _barrel()
    rule = Rule(particles=("gamma",), energy=(2 * ENERGY, 10 * ENERGY), simulator="photons")
    half = tuple((np.abs(region.corners).max(axis=0) + 10).tolist())
    world = Setup((region,), (rule,), {"photons": {}}, SETTINGS, half)
    return _timed(HybridSetup(world), "energy", n)


def _timed(setup: Experiment, name: str, n: int) -> tuple[float, float]:
    first, *others = [Chunk(setup, SETTINGS, _photon(), pair[None]) for pair in seeds(n)]
    run_chunk(first)  # builds the world and the tables
    start = time.process_time()
    energy = sum(float(run_chunk(chunk).response[name].sum()) for chunk in others)
    return time.process_time() - start, energy


def _barrel() -> Region:
    detector = load_detector("atlas-barrel")
    assert isinstance(detector, Calorimeter)
    return Region("barrel", detector)


def _photon() -> Primaries:
    place, direction = np.array([[X, Y, -1.0]]), np.array([[0.0, 0.0, 1.0]])
    return Primaries(np.array([22]), np.array([ENERGY]), direction, place, np.array([0]), 1)


def main() -> None:
    """Print the times of each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    console = Console(width=100)
    for number in range(arguments.rounds):
        times = []
        for simulate in (in_full, in_hybrid):
            with WorkerPool(1) as pool:
                times.append(pool.submit(simulate, arguments.n).result())
        (plain, one), (watched, other) = times
        console.print(
            f"round {number}: full {plain:.2f} s, hybrid {watched:.2f} s, "
            f"ratio {watched / plain:.3f}, energies in cells {one:.3f} and {other:.3f} MeV"
        )


if __name__ == "__main__":
    main()
