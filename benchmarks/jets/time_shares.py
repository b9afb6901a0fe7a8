"""How long Pythia takes for a collision, and what is done with it after that.

    python benchmarks/jets/time_shares.py -n 1280 -o benchmarks/jets/results/time-shares.json

Times are of the processor, in one process with one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from simulacra.detectors import JetImage, load_detector
from simulacra.fullsim.jets import images
from simulacra.fullsim.jets.chunk import BATCH, inside
from simulacra.fullsim.jets.clustering import trimmed_jets
from simulacra.fullsim.jets.pythia import Generator, PythiaObject, versions
from simulacra.fullsim.jets.towers import fill
from simulacra.units import GEV

T = TypeVar("T")


class Stopwatch:
    """Adds up times of the processor by the name of what took them, s."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, name: str, call: Callable[[], T]) -> T:
        """Return what a call returns."""
        start = time.process_time()
        result = call()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
        return result


class Timed:
    """Pythia, whose batches are timed."""

    def __init__(self, pythia: PythiaObject, watch: Stopwatch) -> None:
        self._pythia, self._watch = pythia, watch

    def nextBatch(self, n: int) -> PythiaObject:  # noqa: N802 - Pythia's name
        """Return a batch of collisions."""
        return self._watch.timed("pythia", lambda: self._pythia.nextBatch(n))


def shares(detector: JetImage, name: str, n: int, seed: int) -> dict:
    """Return the times of a process, in ms for a collision, and what comes out."""
    watch, collisions, accepted = Stopwatch(), 0, 0
    process = detector.collisions.processes[name]
    generator = watch.timed("start", lambda: Generator(detector.collisions, process, seed))
    generator._pythia = Timed(generator._pythia, watch)
    least = detector.window.transverse_momentum[0] / GEV
    while collisions < n:
        particles = watch.timed("collide", lambda: generator.collide(BATCH))
        collisions += particles.collisions
        towers = watch.timed("towers", lambda p=particles: fill(p, detector.towers))
        found = watch.timed(
            "jets",
            lambda t=towers: list(trimmed_jets(t, detector.jets, detector.trimming, least)),
        )
        chosen = watch.timed("window", lambda f=found: [j for _, j in f if inside(j, detector)])
        accepted += len(chosen)
        for jet in chosen:
            watch.timed("images", lambda j=jet: images.draw(j, detector))
            watch.timed("images", lambda j=jet: images.constituents(j, detector.constituents))
    seconds = watch.seconds
    start = seconds.pop("start")
    seconds["arrays"] = seconds.pop("collide") - seconds["pythia"]
    ours = sum(seconds.values()) - seconds["pythia"]
    return {
        "collisions": collisions,
        "accepted": accepted,
        "start_s": start,
        "ms_for_a_collision": {key: 1e3 * value / collisions for key, value in seconds.items()},
        "ours_over_pythia": ours / seconds["pythia"],
        "jets_per_second": accepted / sum(seconds.values()),
    }


def main() -> None:
    """Measure both processes and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=1280, help="collisions of each process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", type=Path, required=True)
    asked = parser.parse_args()
    detector = load_detector("jet-constituents")
    result: dict = {"versions": versions(), "seed": asked.seed}
    for name in detector.collisions.processes:
        result[name] = shares(detector, name, asked.n, asked.seed)
    asked.o.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
