"""Jet images for tests, from lists of pixels."""

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.events import Events

DETECTOR = load_detector("jet-image")


def jets_of(*pixels):
    """Return events whose images hold the pixels ((row, column, GeV), ...) of each."""
    images = np.zeros((len(pixels), 25, 25), np.float32)
    for image, listed in zip(images, pixels, strict=True):
        for row, column, momentum in listed:
            image[row, column] = momentum
    return with_images(images)


def with_images(images, labels=None, detector=DETECTOR):
    """Return events with these images, half of either process."""
    n = len(images)
    columns = {
        "process": np.resize([0, 1], n) if labels is None else np.array(labels),
        "transverse_momentum": np.linspace(250e3, 300e3, n),
        "mass": np.linspace(60e3, 100e3, n),
    }
    return Events(Conditions(columns), {"images": images.astype(np.float32)}, detector)


def random_jets(n, seed, excess=0.0):
    """Return events with about two prongs each; those of process 1 are further apart."""
    rng = np.random.default_rng(seed)
    images = np.zeros((n, 25, 25), np.float32)
    for i in range(n):
        low = 12 - (5 if i % 2 else 3) + rng.integers(-1, 2)
        for column, momentum in ((12, 150.0), (low, 100.0 + excess)):
            spread = rng.exponential(momentum / 9, (3, 3)) * rng.integers(0, 2, (3, 3))
            images[i, 11:14, column - 1 : column + 2] += spread
            images[i, 12, column] += momentum / 2
    return with_images(images)
