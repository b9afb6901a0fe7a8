"""Electronics with a highest sample."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import with_columns


def saturation(subject: Subject) -> Response:
    """Return the response in which the largest sample is at most 1000 ADC / strength.

    The charge loses the same amount: only the largest sample of a cluster is taken as saturated.
    """
    clusters = subject.response["clusters"]
    lost = np.maximum(clusters[..., 4] - 1000.0 / subject.strength, 0.0)
    return with_columns(subject, {3: clusters[..., 3] - lost, 4: clusters[..., 4] - lost})


SATURATION = Fault(
    "the largest sample of a cluster is cut at the inverse of the strength",
    "inverse of the highest sample",
    "1/(1000 ADC)",
    saturation,
)
