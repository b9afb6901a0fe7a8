"""Which hard scatterings make jets inside the window: the bias of a process' limits.

    python benchmarks/jets/hard_momentum.py -n 1000 -o benchmarks/jets/results/hard-momentum.json

Collisions are generated in slices of the hard momentum; accepted jets times the cross section of a
slice over its collisions is the cross section of jets inside the window.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path

from simulacra.detectors import JetImage, load_detector
from simulacra.fullsim.jets.chunk import BATCH, inside
from simulacra.fullsim.jets.clustering import trimmed_jets
from simulacra.fullsim.jets.pythia import Generator, versions
from simulacra.fullsim.jets.towers import fill
from simulacra.units import GEV

EDGES = {
    "qcd": (150, 200, 225, 250, 275, 300, 325, 350, 400, 500),
    "w": (150, 200, 225, 250, 275, 300, 325, 350, 400, 500),
}
"""Limits of the slices, GeV."""


def slice_of(detector: JetImage, name: str, low: float, high: float, n: int, seed: int) -> dict:
    """Return what a slice of the hard momentum (GeV) gives."""
    process = detector.collisions.processes[name]
    process = process.model_copy(update={"hard_momentum": (low * GEV, high * GEV)})
    generator = Generator(detector.collisions, process, seed)
    least = detector.window.transverse_momentum[0] / GEV
    collisions = accepted = 0
    start = time.process_time()
    while collisions < n:
        particles = generator.collide(BATCH)
        collisions += particles.collisions
        towers = fill(particles, detector.towers)
        found = trimmed_jets(towers, detector.jets, detector.trimming, least)
        accepted += sum(inside(jet, detector) for _, jet in found)
    seconds = time.process_time() - start
    section = generator.cross_section
    return {
        "from": low,
        "to": high,
        "collisions": collisions,
        "accepted": accepted,
        "cross_section_pb": section,
        "accepted_pb": section * accepted / collisions,
        "accepted_pb_error": section * max(accepted, 1) ** 0.5 / collisions,
        "jets_per_second": accepted / seconds,
    }


def main() -> None:
    """Measure all slices and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=1000, help="collisions in a slice")
    parser.add_argument("-o", type=Path, required=True)
    asked = parser.parse_args()
    detector = load_detector("jet-image")
    result: dict = {"versions": versions(), "window": detector.window.model_dump()}
    for name, edges in EDGES.items():
        result[name] = [
            slice_of(detector, name, low, high, asked.n, seed)
            for seed, (low, high) in enumerate(pairwise(edges), start=1)
        ]
        total = sum(row["accepted_pb"] for row in result[name])
        for row in result[name]:
            row["share"] = row["accepted_pb"] / total
    asked.o.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
