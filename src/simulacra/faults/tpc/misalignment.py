"""Read-out chambers that are not where they are taken to be."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import turned


def misalignment(subject: Subject) -> Response:
    """Return the response with struck clusters moved along r phi by the strength in mm."""
    return turned(subject, np.full(subject.where.shape, subject.strength))


MISALIGNMENT = Fault(
    "clusters of the place are shifted along r phi", "shift", "mm", misalignment, low=-np.inf
)
