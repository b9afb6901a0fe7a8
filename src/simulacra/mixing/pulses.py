"""Which clusters of a TPC's pad rows the read-out would find as one, and what it would find.

The cluster finder takes the samples around the largest one, as far as the window of the electronics
reaches (:mod:`simulacra.fullsim.tpc.clusters`). A second pulse whose centre lies within that window
is no cluster of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.detectors import TPC
from simulacra.fullsim.tpc.crossings import pads_in_circle

FWHM = 2 * np.sqrt(2 * np.log(2))
"""Full width at half maximum of a Gaussian in its standard deviations."""
APART = 4.0
"""Distance of clusters of different rows in windows: they are never neighbours."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """Clusters as the read-out sees them.

    Attributes:
        group: equal where pulses lie in one pad row and drift to one end plate (m,).
        row: pad row (m,).
        side: the end plate, 1 at positive and -1 at negative z (m,).
        pad: centre, in pads around the circle from phi = 0 (m,).
        time: centre, in time bins since the collision (m,).
        total, largest: charge, and its largest sample (m,), ADC.
        circle: pads in the circle of the row (m,).
        pad_width, time_width: standard deviations of a pulse (m,), pads and time bins.
    """

    group: IntArray
    row: IntArray
    side: IntArray
    pad: FloatArray
    time: FloatArray
    total: FloatArray
    largest: FloatArray
    circle: FloatArray
    pad_width: FloatArray
    time_width: FloatArray

    @classmethod
    def of(cls, event: IntArray, row: IntArray, clusters: Array, detector: TPC) -> Pulses:
        """Return the pulses of clusters (m, 5): x, y, z in mm, q, q_max, of events (m,).

        A pulse is a Gaussian: along the row by pad response and diffusion, in time by the shaper
        and diffusion.
        """
        x, y, z, total, largest = clusters.astype(np.float64).T
        circle = pads_in_circle(detector)[row].astype(np.float64)
        side = np.where(z < 0, -1, 1)
        length = np.maximum(detector.drift_length - np.abs(z), 0.0)
        response = np.repeat(
            [g.pad_response for g in detector.pad_rows], [g.rows for g in detector.pad_rows]
        )
        law, electronics = detector.drift, detector.electronics
        across = np.sqrt(response[row] ** 2 + law.transverse_diffusion**2 * length)
        along = np.sqrt(
            (electronics.shaping / FWHM) ** 2
            + (law.longitudinal_diffusion / law.velocity) ** 2 * length
        )
        return cls(
            group=(event * len(detector.row_radii) + row) * 2 + (side > 0),
            row=row,
            side=side,
            pad=np.mod(np.arctan2(y, x) / (2 * np.pi), 1.0) * circle,
            time=length / law.velocity / electronics.sampling,
            total=total,
            largest=largest,
            circle=circle,
            pad_width=across / (2 * np.pi * detector.row_radii[row] / circle),
            time_width=along / electronics.sampling,
        )

    def neighbours(self, reach: tuple[int, int]) -> tuple[IntArray, IntArray]:
        """Return pairs of pulses, each in both orders (p,), that lie in each other's window.

        Args:
            reach: of the window to either side, pads and time bins; ends are included.
        """
        pad, time = self.pad / reach[0], self.time / reach[1]
        first = np.flatnonzero(self.pad <= reach[0])  # again behind the last pad of the circle
        points = np.column_stack([self.group * APART, pad, time])
        again = points[first]
        again[:, 1] += self.circle[first] / reach[0]
        tree = cKDTree(np.concatenate([points, again]))
        pairs = tree.query_pairs(1.0 + 1e-9, p=np.inf, output_type="ndarray")
        number = np.concatenate([np.arange(len(points)), first])[pairs]
        number = number[number[:, 0] != number[:, 1]]
        both = np.unique(np.concatenate([number, number[:, ::-1]]), axis=0)
        return both[:, 0], both[:, 1]

    def leaders(self, reach: tuple[int, int]) -> IntArray:
        """Return for each pulse the one in whose cluster it is found (m,); many are their own.

        As in a cluster finder the pulse with the largest sample takes those in its window, then the
        largest that is left. The order of the pulses does not matter.
        """
        one, other = self.neighbours(reach)
        order = np.lexsort((self.time, self.pad, self.group, -self.total, -self.largest))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        leader, nobody = np.full(len(rank), -1), len(rank)
        free, leads = np.ones(len(rank), bool), np.zeros(len(rank), bool)
        while free.any():
            # each waits until the largest of those that could take it is decided
            near = free[one] & (free | leads)[other]
            rival = _smallest(one[near], rank[other[near]], nobody)
            leads |= free & (rank < rival)
            leader[leads] = np.flatnonzero(leads)
            known = rival < nobody
            follows: BoolArray = free & ~leads & known & leads[order[rival % nobody]]
            leader[follows] = order[rival[follows]]
            free &= ~(leads | follows)
        return leader

    def found(self, leader: IntArray, detector: TPC) -> tuple[IntArray, FloatArray]:
        """Return which pulses lead a cluster (k,), and these clusters (k, 5).

        Charges add up; the position is their charge-weighted mean in pads and time bins. The
        largest sample is that of the sum of Gaussian pulses where the leader is largest, at most
        the electronics' saturation.
        """
        heads, of = np.unique(leader, return_inverse=True)
        n, half = len(heads), self.circle[leader] / 2
        d_pad = np.mod(self.pad - self.pad[leader] + half, 2 * half) - half
        d_time = self.time - self.time[leader]
        total = np.bincount(of, self.total, n)
        weight = self.total / total[of]
        pad = self.pad[heads] + np.bincount(of, weight * d_pad, n)
        time = self.time[heads] + np.bincount(of, weight * d_time, n)
        away = (d_pad / self.pad_width) ** 2 + (d_time / self.time_width) ** 2
        largest = np.bincount(of, self.largest * np.exp(-away / 2), n)
        # a saturated cluster stays as it is: what is above was never read out
        largest = np.maximum(
            np.minimum(largest, detector.electronics.saturation), self.largest[heads]
        )
        radius = detector.row_radii[self.row[heads]]
        phi = 2 * np.pi * pad / self.circle[heads]
        length = time * detector.electronics.sampling * detector.drift.velocity
        z = self.side[heads] * (detector.drift_length - length)
        place = [radius * np.cos(phi), radius * np.sin(phi), z]
        return heads, np.column_stack([*place, total, largest])


def _smallest(place: IntArray, value: IntArray, nobody: int) -> IntArray:
    """Return the smallest value at each place (nobody,); ``nobody`` where there is none."""
    result = np.full(nobody, nobody)
    np.minimum.at(result, place, value)
    return result
