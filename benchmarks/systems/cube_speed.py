"""The speed of simulators of a cube of cells: one shower at a time, and 128 as published.

    python benchmarks/systems/cube_speed.py clic-ecal-test.h5 gan-3d published-size -o speed

As ``simulacra benchmark``, whose batches of 10 000 showers of 15 625 cells would need the memory of
a larger machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from simulacra.benchmark import BenchmarkSettings, benchmark, write_benchmark
from simulacra.fullsim import Geant4Settings
from simulacra.io import read_events

BATCHES = (1, 128)
ENERGIES = (100_000.0, 500_000.0)
"""Where Geant4 is timed, MeV."""


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("simulators", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    settings = BenchmarkSettings(batches=BATCHES, seconds=2.0, energies=ENERGIES)
    found = benchmark(
        arguments.simulators,
        read_events(arguments.reference),
        [Geant4Settings(particle="e-")],
        settings,
    )
    write_benchmark(found, arguments.output)


if __name__ == "__main__":
    main()
