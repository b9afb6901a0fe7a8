"""Make the embedded sample from a file of Geant4 showers.

    python tools/embed_sample.py photons.h5 src/simulacra/datasets/data/atlas-barrel-photons

Per energy, the first 55 % of a fixed permutation go to ``train``, the next 15 % to ``selection``,
the rest to ``test``; the held-out 25 GeV go to ``test`` whole.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.files.provenance import provenance
from simulacra.io import read_events, write_events

SEED = 20261122
HELD_OUT = 25_000.0  # MeV
TRAIN, SELECTION = 0.55, 0.15
RANGE_CUT = 1.0
"""mm. The script of the source states none: Geant4's table of cuts (/run/dumpCouples) has 1 mm for
a physics list made in Python, and ``benchmarks/geant4/check.py replay`` gives the same cells."""


def split(energies: np.ndarray) -> dict[str, np.ndarray]:
    """Return the positions of the events of each split."""
    rng = np.random.default_rng(SEED)
    parts: dict[str, list[np.ndarray]] = {"train": [], "selection": [], "test": []}
    for energy in np.unique(energies):
        index = rng.permutation(np.flatnonzero(energies == energy))
        if abs(energy - HELD_OUT) < 1:
            parts["test"].append(index)
            continue
        bounds = np.round(np.array([TRAIN, TRAIN + SELECTION]) * len(index)).astype(int)
        for name, part in zip(parts, np.split(index, bounds), strict=True):
            parts[name].append(part)
    return {name: rng.permutation(np.concatenate(part)) for name, part in parts.items()}


def main() -> None:
    """Read, split and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    events = read_events(arguments.source, load_detector("atlas-barrel"))
    for name, index in split(events.conditions["energy"]).items():
        facts = provenance(
            "embed_sample",
            source=arguments.source.name,
            split=name,
            seed=SEED,
            particle="gamma",
            geant4="11.4 (geant4_pybind 0.1.3)",
            physics=f"G4EmStandardPhysics (opt0), range cuts {RANGE_CUT:g} mm",
            cut_mm=RANGE_CUT,
        )
        part = events.take(np.sort(index))
        write_events(
            Events(part.conditions, part.response, part.detector, facts),
            arguments.folder / f"{name}.h5",
        )


if __name__ == "__main__":
    main()
