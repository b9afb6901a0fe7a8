"""Sums over the images of a sample, in one pass: mean images, and the spectrum of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import JetImage
from simulacra.detectors.jet_image import PROCESS
from simulacra.events import Events

SPECTRUM = np.geomspace(1e-3, 1e3, 61)
"""Edges of the bins in which pixels are counted, GeV."""


@dataclass(frozen=True, slots=True)
class ImageSums:
    """What the images of one process come to.

    Attributes:
        events: how many there are.
        mean: the mean image (pixels, pixels), GeV.
        counts: pixels in the bins of :data:`SPECTRUM` (bins,).
    """

    events: int
    mean: FloatArray
    counts: IntArray


def image_sums(detector: JetImage, pieces: Iterable[Events]) -> Mapping[str, ImageSums]:
    """Return the sums of each process that there is, by its name."""
    shape = detector.pixels, detector.pixels
    totals = {name: np.zeros(shape) for name in detector.processes.values()}
    counts = {name: np.zeros(len(SPECTRUM) - 1, np.int64) for name in totals}
    numbers = dict.fromkeys(totals, 0)
    for events in pieces:
        for label, name in detector.processes.items():
            images = events["images"][events[PROCESS] == label].astype(np.float64)
            totals[name] += images.sum(axis=0)
            counts[name] += np.histogram(images[images > 0], SPECTRUM)[0]
            numbers[name] += len(images)
    return {name: ImageSums(n, totals[name] / n, counts[name]) for name, n in numbers.items() if n}
