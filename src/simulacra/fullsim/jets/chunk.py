"""A chunk of jets: collisions until each of its rows has a jet inside the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import Array, IntArray
from simulacra.detectors.jet_image import MASS, SCALE, JetImage
from simulacra.errors import SimulacraError
from simulacra.fullsim.jets import images
from simulacra.fullsim.jets.clustering import Jet, mass_of, pseudorapidity, transverse, trimmed_jets
from simulacra.fullsim.jets.pythia import Generator, versions
from simulacra.fullsim.jets.towers import fill
from simulacra.fullsim.work import ChunkResult
from simulacra.units import GEV

BATCH = 64
"""Collisions that are looked at together."""
MOST = 200_000
"""Collisions without a jet inside the window after which a process is given up."""


@dataclass(frozen=True, slots=True)
class JetChunk:
    """Some jets to make; everything that the result depends on.

    Attributes:
        detector: how they are made.
        labels: the process of each jet (n,).
        seed: of Pythia; each process has the seed after that of the process before.
    """

    detector: JetImage
    labels: IntArray
    seed: int


def run_chunk(chunk: JetChunk) -> ChunkResult:
    """Make a chunk's jets in this process.

    Raises:
        MissingDependencyError: Pythia or FastJet are missing.
        SimulacraError: Pythia takes no command of a process, or that makes no jet in the window.
    """
    detector, n = chunk.detector, len(chunk.labels)
    arrays: dict[str, Array] = {
        name: np.zeros((n, *array.shape), np.float32)
        for name, array in detector.response_arrays.items()
    }
    arrays |= {name: np.zeros(n, np.float32) for name in (SCALE, MASS)}
    for place, name in enumerate(_names(detector)):
        rows = np.flatnonzero(chunk.labels == _label(detector, name))
        made = jets_of(detector, name, chunk.seed + place) if len(rows) else iter(())
        for row, jet in zip(rows.tolist(), made, strict=False):
            arrays["images"][row] = images.draw(jet, detector)
            if detector.constituents:
                arrays["constituents"][row] = images.constituents(jet, detector.constituents)
            arrays[SCALE][row] = transverse(jet.vector) * GEV
            arrays[MASS][row] = mass_of(jet.vector) * GEV
    return ChunkResult(arrays, versions()["pythia8mc"], {"fastjet": versions()["fastjet"]})


def jets_of(detector: JetImage, name: str, seed: int) -> Iterator[Jet]:
    """Yield jets of a process inside the detector's window, as many as are asked for.

    Raises:
        SimulacraError: many collisions have none.
    """
    assert detector.collisions is not None
    assert detector.towers is not None
    assert detector.jets is not None
    assert detector.trimming is not None
    assert detector.window is not None
    generator = Generator(detector.collisions, detector.collisions.processes[name], seed)
    least = detector.window.transverse_momentum[0] / GEV
    in_vain = 0
    while in_vain < MOST:
        towers = fill(generator.collide(BATCH), detector.towers)
        in_vain += BATCH
        for _, jet in trimmed_jets(towers, detector.jets, detector.trimming, least):
            if inside(jet, detector):
                in_vain = 0
                yield jet
    msg = f"process {name}: no jet inside the window of {detector.name} in {MOST} collisions"
    raise SimulacraError(msg)


def inside(jet: Jet, detector: JetImage) -> bool:
    """Return whether a jet lies inside the detector's window."""
    window = detector.window
    assert window is not None
    low, high = window.transverse_momentum
    lightest, heaviest = window.mass
    return bool(
        low <= transverse(jet.vector) * GEV <= high
        and lightest <= mass_of(jet.vector) * GEV <= heaviest
        and abs(pseudorapidity(jet.vector)) <= window.pseudorapidity
    )


def _names(detector: JetImage) -> tuple[str, ...]:
    assert detector.collisions is not None
    return tuple(detector.collisions.processes)


def _label(detector: JetImage, name: str) -> int:
    assert detector.collisions is not None
    return detector.collisions.processes[name].label
