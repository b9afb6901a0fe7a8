"""Where the mass peak of W jets lies, and what moves it.

    python benchmarks/jets/mass_peak.py -n 3000 -o benchmarks/jets/results/mass-peak.json

The same collisions are clustered in several ways, from Pythia's particles to the towers and the
trimming of ``jet-image``. Jets are those whose trimmed jet of towers lies in the window of momentum
and pseudorapidity; there is no window in mass. Other settings of Pythia are other collisions.

The peak is that of a Gaussian fitted by likelihood to the masses within 1.5 of its widths, which
neither the low tail nor the choice of a window in mass moves. Other estimators stand beside it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.datasets.samples import load_sample
from simulacra.detectors import JetImage, load_detector
from simulacra.fullsim.jets.chunk import BATCH
from simulacra.fullsim.jets.clustering import mass_of, pseudorapidity, transverse, trimmed_jets
from simulacra.fullsim.jets.pythia import Generator, Particles, versions
from simulacra.fullsim.jets.towers import fill
from simulacra.units import GEV

SETTINGS: dict[str, tuple[str, ...]] = {
    "as described": (),
    "W to light quarks": ("24:onMode = off", "24:onIfAll = 1 2"),
    "no multiple interactions": ("PartonLevel:MPI = off",),
}
"""Commands beside those of the process."""
STANDARD = "towers 0.1, trimmed 5 %"
CORE = 1.5
"""Widths about the peak in which masses are fitted."""
REPLICAS = 200


@dataclass(frozen=True)
class Hits:
    """Particles of some collisions with four-momenta (n, 4), clustered like towers."""

    collision: IntArray
    vectors: FloatArray

    def take(self, rows: IntArray | BoolArray) -> Hits:
        """Return some of them."""
        return Hits(self.collision[rows], self.vectors[rows])


def ways(
    detector: JetImage, collision: IntArray, vectors: FloatArray, n: int
) -> Iterator[tuple[str, Hits, float]]:
    """Yield a name, what is clustered, and the fraction below which subjets are left out."""
    x, y, z, energy = vectors.T
    with np.errstate(divide="ignore"):
        eta = np.arcsinh(z / np.hypot(x, y))
    near = np.abs(eta) < detector.towers.reach
    collision, vectors, x, y, z, energy, eta = (
        a[near] for a in (collision, vectors, x, y, z, energy, eta)
    )
    length = np.sqrt(x**2 + y**2 + z**2)
    direction = vectors[:, :3] / length[:, None]
    massless = np.column_stack([direction * energy[:, None], energy])
    particles = Particles(collision, energy, eta, np.arctan2(y, x), n)
    yield "particles, not trimmed", Hits(collision, vectors), 0.0
    yield "particles, trimmed 5 %", Hits(collision, vectors), 0.05
    yield "massless particles, trimmed 5 %", Hits(collision, massless), 0.05
    for size in (0.025, 0.1):
        towers = fill(particles, detector.towers.model_copy(update={"size": size}))
        hits = Hits(towers.collision, towers.vectors)
        yield f"towers {size}, trimmed 5 %", hits, 0.05
    yield "towers 0.1, trimmed 3 %", hits, 0.03
    yield "towers 0.1, not trimmed", hits, 0.0


def masses_of(detector: JetImage, commands: tuple[str, ...], n: int, seed: int) -> dict:
    """Return masses (jets,) by way, GeV; nan where a way finds no such jet."""
    process = detector.collisions.processes["w"]
    process = process.model_copy(update={"commands": process.commands + commands})
    generator = Generator(detector.collisions, process, seed)
    low, high = (limit / GEV for limit in detector.window.transverse_momentum)
    found: dict[str, list[float]] = {}
    for _ in range(-(-n // BATCH)):
        collision, vectors, made = generator.momenta(BATCH)
        jets = {}
        for name, hits, fraction in ways(detector, collision, vectors, made):
            trimming = detector.trimming.model_copy(update={"fraction": fraction})
            jets[name] = dict(trimmed_jets(hits, detector.jets, trimming, low))
        for number, jet in jets[STANDARD].items():
            central = abs(pseudorapidity(jet.vector)) <= detector.window.pseudorapidity
            if central and low <= transverse(jet.vector) <= high:
                for name, others in jets.items():
                    other = others.get(number)
                    mass = np.nan if other is None else float(mass_of(other.vector))
                    found.setdefault(name, []).append(mass)
    return {name: np.array(masses) for name, masses in found.items()}


def core(masses: FloatArray) -> tuple[float, float]:
    """Return middle and width of the Gaussian fitted within :data:`CORE` widths of its middle.

    The likelihood of a Gaussian that is cut off on both sides at the same distance is largest where
    mean and variance inside agree; both are iterated.
    """
    density = math.exp(-(CORE**2) / 2) / math.sqrt(2 * math.pi)
    held = math.erf(CORE / math.sqrt(2))
    part = math.sqrt(1 - 2 * CORE * density / held)  # deviation of what is inside, in widths
    inside = masses[(masses > 60) & (masses < 100)]
    middle, width = float(np.median(inside)), 6.0
    for _ in range(100):
        inside = masses[np.abs(masses - middle) < CORE * width]
        middle, width = float(inside.mean()), min(float(inside.std() / part), 12.0)
    return middle, width


def within(masses: FloatArray, half: float = 8.0) -> float:
    """Return the mean of masses within a distance of it."""
    middle = float(np.median(masses[(masses > 60) & (masses < 100)]))
    for _ in range(100):
        middle = float(masses[np.abs(masses - middle) < half].mean())
    return middle


def estimators(masses: FloatArray) -> dict[str, float]:
    """Return what several estimators make of the same masses, GeV."""
    masses = masses[np.isfinite(masses)]
    window = masses[(masses > 60) & (masses < 100)]
    middle, width = core(masses)
    return {
        "core": middle,
        "width": width,
        "mean within 8 GeV": within(masses),
        "mean of 60-100 GeV": float(window.mean()),
        "median of 60-100 GeV": float(np.median(window)),
    }


def compared(found: dict[str, FloatArray], rng: np.random.Generator) -> list[dict]:
    """Return estimators for each way, and how far the core moved from the way before."""
    n = len(found[STANDARD])
    draws = [rng.integers(n, size=n) for _ in range(REPLICAS)]
    rows: list[dict] = []
    before: list[dict] = []
    for name, masses in found.items():
        own = [estimators(masses[draw]) for draw in draws]
        row: dict = {"way": name, "jets": int(np.isfinite(masses).sum())}
        for key, value in estimators(masses).items():
            row[key] = [value, float(np.std([replica[key] for replica in own]))]
        if before:
            moved = [new["core"] - old["core"] for new, old in zip(own, before, strict=True)]
            row["moved"] = [row["core"][0] - rows[-1]["core"][0], float(np.std(moved))]
        rows.append(row)
        before = own
    return rows


def main() -> None:
    """Measure all and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=3000, help="collisions of each setting")
    parser.add_argument("-o", type=Path, required=True)
    asked = parser.parse_args()
    detector = load_detector("jet-image")
    rng = np.random.default_rng(1)
    sample = load_sample("train", "jet-images")
    masses = sample["mass"][sample["process"] == 1].astype(np.float64) / GEV
    embedded = {STANDARD: masses}
    result: dict = {"versions": versions(), "collisions": asked.n}
    result["sample:jet-images:train"] = compared(embedded, rng)
    for seed, (name, commands) in enumerate(SETTINGS.items(), start=1):
        result[name] = compared(masses_of(detector, commands, asked.n, seed), rng)
        asked.o.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
