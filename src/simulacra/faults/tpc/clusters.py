"""Changes of clusters that several faults of a TPC share."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array, BoolArray, FloatArray
from simulacra.faults.fault import Response, Subject


def without(subject: Subject, lost: BoolArray) -> Response:
    """Return the response without the clusters ``lost`` (n, rows): mask and numbers are 0."""
    clusters, mask = subject.response["clusters"], subject.response["cluster_mask"]
    return {
        "clusters": np.where(lost[..., None], 0, clusters),
        "cluster_mask": np.where(lost, 0, mask),
    }


def with_columns(subject: Subject, columns: dict[int, Array]) -> Response:
    """Return the response with columns (n, rows) of the struck clusters replaced, by number."""
    clusters = subject.response["clusters"].copy()
    for number, values in columns.items():
        clusters[..., number] = np.where(subject.where, values, clusters[..., number])
    return {"clusters": clusters, "cluster_mask": subject.response["cluster_mask"]}


def turned(subject: Subject, shift: Array) -> Response:
    """Return the response with struck clusters moved along r phi by ``shift`` mm (n, rows)."""
    x, y = coordinates(subject)[:2]
    radius = np.maximum(np.hypot(x, y), 1e-9)
    angle = shift / radius
    cosine, sine = np.cos(angle), np.sin(angle)
    return with_columns(subject, {0: x * cosine - y * sine, 1: x * sine + y * cosine})


def coordinates(subject: Subject) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return x, y and z (n, rows) in mm, in double precision."""
    x, y, z = np.moveaxis(subject.response["clusters"][..., :3].astype(np.float64), -1, 0)
    return x, y, z


def drift_lengths(subject: Subject, length: float) -> FloatArray:
    """Return how far (n, rows) the electrons drifted to the end plate at ``length`` mm."""
    _, _, z = coordinates(subject)
    drifted: FloatArray = length - np.abs(z)
    return drifted


def with_drift(subject: Subject, drifted: FloatArray, length: float) -> Response:
    """Return the response with struck clusters at drift lengths (n, rows) of their side, mm."""
    _, _, z = coordinates(subject)
    side = np.where(z < 0, -1.0, 1.0)
    return with_columns(subject, {2: side * (length - drifted)})
