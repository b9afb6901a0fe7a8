"""Noise of charges and positions; coherent noise of a place."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import turned, with_columns


def noise(subject: Subject) -> Response:
    """Return the response with Gaussian noise on the charge; a charge stays at least q_max."""
    clusters = subject.response["clusters"]
    drawn = subject.strength * subject.rng.standard_normal(clusters.shape[:2])
    return with_columns(subject, {3: np.maximum(clusters[..., 3] + drawn, clusters[..., 4])})


def coherent_noise(subject: Subject) -> Response:
    """Return the response with one Gaussian number of each event added to all struck charges."""
    clusters = subject.response["clusters"]
    drawn = subject.strength * subject.rng.standard_normal((len(clusters), 1))
    return with_columns(subject, {3: np.maximum(clusters[..., 3] + drawn, clusters[..., 4])})


def blur(subject: Subject) -> Response:
    """Return the response with positions moved along r phi by Gaussian numbers, for each itself."""
    shape = subject.response["clusters"].shape[:2]
    return turned(subject, subject.strength * subject.rng.standard_normal(shape))


NOISE = Fault("Gaussian noise of each charge, at least q_max stays", "width", "ADC", noise)
COHERENT_NOISE = Fault(
    "the same Gaussian noise in all charges of the place", "width", "ADC", coherent_noise
)
BLUR = Fault("Gaussian shifts of each position along r phi", "width", "mm", blur)
