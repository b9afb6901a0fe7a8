"""From the samples of a row to its cluster: charge and centre of gravity around the largest one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import TPC
from simulacra.fullsim.tpc.crossings import Crossings, find_crossings, pads_in_circle
from simulacra.fullsim.tpc.deposits import Deposits
from simulacra.fullsim.tpc.electrons import drift
from simulacra.fullsim.tpc.samples import Samples, sample


class Clusters(NamedTuple):
    """The response of one event: (rows, 5) x, y, z in mm, q, q_max in ADC; and the mask (rows,)."""

    clusters: NDArray[np.float32]
    mask: NDArray[np.uint8]


def digitise(deposits: Deposits, detector: TPC, rng: np.random.Generator) -> Clusters:
    """Return the clusters that the chamber makes of one event's deposits."""
    rows = len(detector.row_radii)
    result = Clusters(np.zeros((rows, 5), np.float32), np.zeros(rows, np.uint8))
    electrons = drift(deposits, detector, rng)
    if len(electrons):
        crossings = find_crossings(electrons, detector)
        found, numbers = cluster(crossings, sample(crossings, detector, rng), detector)
        result.clusters[crossings.row[found]] = numbers
        result.mask[crossings.row[found]] = 1
    return result


def cluster(crossings: Crossings, samples: Samples, detector: TPC) -> tuple[IntArray, FloatArray]:
    """Return which crossings make a cluster (m,), and the clusters (m, 5).

    As in ALICE's cluster finder, a cluster is the samples around the largest one: q is their sum,
    q_max the largest, the position their centre of gravity.
    """
    matrices = samples.matrices
    largest = np.maximum.reduceat(samples.values, matrices.place)
    found = np.flatnonzero(largest >= detector.electronics.peak)
    place, times = matrices.place[found], matrices.times[found]
    pad, time = np.divmod(_largest_place(samples, largest)[found] - place, times)
    # near the border lies another branch's pulse, whose window would leave the matrix
    pad_reach, time_reach = detector.electronics.window
    pad = np.clip(pad, pad_reach, matrices.pads[found] - 1 - pad_reach)
    time = np.clip(time, time_reach, times - 1 - time_reach)
    pads, bins = (np.arange(-reach, reach + 1) for reach in detector.electronics.window)
    line = place[:, None] + (pad[:, None] + pads) * times[:, None]
    charge = samples.values[line[:, :, None] + (time[:, None] + bins)[:, None, :]]
    total = charge.sum(axis=(1, 2))
    pad_gravity = matrices.low_pad[found] + pad + 0.5 + charge.sum(axis=2) @ pads / total
    time_gravity = matrices.low_time[found] + time + 0.5 + charge.sum(axis=1) @ bins / total
    position = _position(crossings, found, pad_gravity, time_gravity, detector)
    return found, np.column_stack([*position, total, largest[found]])


def _position(
    crossings: Crossings, found: IntArray, pad: FloatArray, time: FloatArray, detector: TPC
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return x, y and z (n,) in mm: at the row's radius, under the pad, where the drift began."""
    row = crossings.row[found]
    radius = detector.row_radii[row]
    phi = 2 * np.pi * (crossings.origin[found] + pad) / pads_in_circle(detector)[row]
    length = time * detector.electronics.sampling * detector.drift.velocity
    z = crossings.side[found] * (detector.drift_length - length)
    return radius * np.cos(phi), radius * np.sin(phi), z


def _largest_place(samples: Samples, largest: FloatArray) -> IntArray:
    """Return where the (first) largest sample of each crossing lies (n,)."""
    owner = np.repeat(np.arange(len(largest)), samples.matrices.pads * samples.matrices.times)
    hit = np.flatnonzero(samples.values == largest[owner])
    first = np.unique(owner[hit], return_index=True)[1]
    return hit[first]
