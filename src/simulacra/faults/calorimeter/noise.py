"""Electronic noise: of each cell for itself, or the same for a whole place."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject


def noise(subject: Subject) -> Response:
    """Return the response with Gaussian noise of each struck cell, independent in each event."""
    showers = subject.response["showers"]
    drawn = subject.strength * subject.rng.standard_normal(showers.shape)
    return {"showers": np.where(subject.where, showers + drawn, showers)}


def coherent_noise(subject: Subject) -> Response:
    """Return the response with one Gaussian number of each event added to all struck cells."""
    showers = subject.response["showers"]
    drawn = subject.strength * subject.rng.standard_normal((len(showers), 1))
    return {"showers": np.where(subject.where, showers + drawn, showers)}


NOISE = Fault(
    "Gaussian noise of each cell; negative energies stay", "width of a cell", "MeV", noise
)
COHERENT_NOISE = Fault(
    "the same Gaussian noise in all cells of the place; negative energies stay",
    "width of a cell",
    "MeV",
    coherent_noise,
)
