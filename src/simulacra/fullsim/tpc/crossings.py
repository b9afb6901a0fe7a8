"""Which crossing of a pad row is read out, and where its electrons lie on the pads and in time.

A row answers with one crossing: the particle's first one, or where the particle never comes, the
first one of a descendant. What else arrives at the same pads and times, such as another branch of
the same track or a δ-electron, is added to it and shares the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.detectors import TPC
from simulacra.fullsim.tpc.electrons import Electrons

CROSSING = 1.0
"""Deposits in a row later than this (ns) after its first are another crossing: a relativistic
particle flies 30 cm in the meantime."""


@dataclass(frozen=True, slots=True)
class Crossings:
    """One crossing for each of n rows, and the m electrons that arrive on its side.

    Attributes:
        row: pad row (n,).
        side: the end plate, 1 or -1 (n,).
        origin: the pad that ``pad`` counts from (n,); pads are numbered from phi = 0.
        owner: the crossing whose row each electron reaches (m,).
        pad: where it arrives, in pads from the origin's lower edge, half a circle either way (m,).
        time: when it arrives, in time bins (m,).
        own: whether the track left it in this crossing (m,); the others may be far away.
    """

    row: IntArray
    side: IntArray
    origin: IntArray
    owner: IntArray
    pad: FloatArray
    time: FloatArray
    own: BoolArray


def pads_in_circle(detector: TPC) -> IntArray:
    """Return how many pads a full circle of each row has: the width that fits best."""
    width = np.repeat([g.pad_width for g in detector.pad_rows], [g.rows for g in detector.pad_rows])
    counts: IntArray = np.round(2 * np.pi * detector.row_radii / width).astype(np.int64)
    return counts


def find_crossings(electrons: Electrons, detector: TPC) -> Crossings:
    """Return the crossing of each row that electrons reach, rows from the inside out."""
    order = np.lexsort((electrons.time, electrons.track != 1, electrons.row))
    rows, first = np.unique(electrons.row[order], return_index=True)
    leader = order[first]
    owner = np.searchsorted(rows, electrons.row)
    here = electrons.side == electrons.side[leader][owner]
    circle = pads_in_circle(detector)[rows]
    number = electrons.phi * circle[owner] / (2 * np.pi)
    origin = np.floor(number[leader]).astype(np.int64)
    half = circle[owner] / 2
    pad = (number - origin[owner] + half) % (2 * half) - half
    own = electrons.track == electrons.track[leader][owner]
    own &= electrons.time <= electrons.time[leader][owner] + CROSSING
    time = electrons.drift_time / detector.electronics.sampling
    return Crossings(
        rows,
        electrons.side[leader],
        origin,
        owner[here],
        pad[here],
        time[here],
        own[here],
    )
