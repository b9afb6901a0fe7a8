"""Electronics with a highest energy."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject
from simulacra.units import GEV


def saturation(subject: Subject) -> Response:
    """Return the response in which no struck cell reads more than 1 GeV / strength."""
    showers = subject.response["showers"]
    ceiling = GEV / subject.strength
    return {"showers": np.where(subject.where, np.minimum(showers, ceiling), showers)}


SATURATION = Fault(
    "no cell reads more than the inverse of the strength",
    "inverse of the highest energy of a cell",
    "1/GeV",
    saturation,
)
