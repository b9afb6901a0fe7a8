"""Charge that couples into the neighbouring pad rows."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import with_columns


def cross_talk(subject: Subject) -> Response:
    """Return the response after struck clusters gave a share of both charges to neighbouring rows.

    Half goes to the row on either side. Where a neighbour has no cluster, that half stays: the sum
    over the track is conserved.
    """
    clusters = subject.response["clusters"].astype(np.float64)
    present = subject.response["cluster_mask"] > 0
    changed = {}
    for column in (3, 4):
        given = np.where(subject.where, subject.strength / 2 * clusters[..., column], 0.0)
        charge = clusters[..., column].copy()
        for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
            passed = np.where(present[:, there], given[:, here], 0.0)
            charge[:, here] -= passed
            charge[:, there] += passed
        changed[column] = charge
    everywhere = Subject(subject.response, present, subject.strength, subject.detector, subject.rng)
    return with_columns(everywhere, changed)


CROSS_TALK = Fault(
    "each cluster gives a share of its charges to the rows beside it",
    "share of a charge",
    "",
    cross_talk,
    high=1.0,
)
