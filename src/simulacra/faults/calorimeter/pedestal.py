"""A pedestal that is subtracted wrongly."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject


def pedestal(subject: Subject) -> Response:
    """Return the response with the same energy added to each struck cell; sums may be negative."""
    showers = subject.response["showers"]
    return {"showers": np.where(subject.where, showers + subject.strength, showers)}


PEDESTAL = Fault(
    "each cell reads a constant more; negative energies stay",
    "shift of a cell",
    "MeV",
    pedestal,
    low=-np.inf,
)
