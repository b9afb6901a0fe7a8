"""From electrons to the samples of pads: amplification, response, noise, zero suppression."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import TPC
from simulacra.fullsim.tpc.crossings import Crossings, pads_in_circle

SEEN = 3.7
"""Widths of a pulse, on pads or in time, beyond which it is not seen."""
FWHM = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True, slots=True)
class Response:
    """What one electron does to the samples around its own: Gaussians on pads and in time.

    Attributes:
        pad_widths: of each pad row, in pads (rows,).
        time_width: in time bins.
        pads, times: offsets of the samples that see the electron.
    """

    pad_widths: FloatArray
    time_width: float
    pads: IntArray
    times: IntArray

    @classmethod
    def of(cls, detector: TPC) -> Self:
        """Return a detector's response."""
        groups, electronics = detector.pad_rows, detector.electronics
        width = np.repeat([g.pad_response for g in groups], [g.rows for g in groups])
        pads = width * pads_in_circle(detector) / (2 * np.pi * detector.row_radii)
        times = electronics.shaping / FWHM / electronics.sampling
        return cls(pads, times, _offsets(float(pads.max())), _offsets(times))

    def on_pads(self, position: FloatArray, row: IntArray) -> FloatArray:
        """Return the parts of the pulse on the pads around electrons (m, pads).

        Args:
            position: within the electron's own pad, from 0 to 1 (m,).
            row: its pad row (m,).
        """
        width = self.pad_widths[row][:, None]
        distance = (self.pads + 0.5 - position[:, None]) / width
        return np.exp(-0.5 * distance**2) / (math.sqrt(2 * math.pi) * width)

    def in_time(self, position: FloatArray) -> FloatArray:
        """Return the pulse of height 1 at the samples around electrons (m, time bins)."""
        distance = (self.times + 0.5 - position[:, None]) / self.time_width
        return np.exp(-0.5 * distance**2)


def _offsets(width: float) -> IntArray:
    reach = math.ceil(SEEN * width)
    offsets: IntArray = np.arange(-reach, reach + 1)
    return offsets


@dataclass(frozen=True, slots=True)
class Matrices:
    """Where the samples of n crossings lie: matrices (pads, time bins), one behind the other.

    Attributes:
        low_pad, low_time: what each matrix starts with, in the coordinates of the crossing (n,).
        pads, times: its shape (n,).
    """

    low_pad: IntArray
    low_time: IntArray
    pads: IntArray
    times: IntArray

    @property
    def place(self) -> IntArray:
        """Where each matrix starts (n,)."""
        sizes = self.pads * self.times
        place: IntArray = np.cumsum(sizes) - sizes
        return place

    @property
    def size(self) -> int:
        """The number of all samples."""
        return int((self.pads * self.times).sum())


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of n crossings.

    Attributes:
        matrices: where they lie.
        values: ADC counts, one matrix behind the other; 0 where nothing is read out.
    """

    matrices: Matrices
    values: FloatArray


def sample(crossings: Crossings, detector: TPC, rng: np.random.Generator) -> Samples:
    """Return what the electronics deliver around each crossing."""
    response = Response.of(detector)
    reach = int(response.pads[-1]), int(response.times[-1])
    matrices = _matrices(crossings, detector, reach)
    inside = _inside(crossings, matrices, reach)
    owner, pad, time = crossings.owner[inside], crossings.pad[inside], crossings.time[inside]
    pad_bin, time_bin = np.floor(pad).astype(np.int64), np.floor(time).astype(np.int64)
    height = _amplify(len(owner), detector, rng)
    on_pads = height[:, None] * response.on_pads(pad - pad_bin, crossings.row[owner])
    pulses = on_pads[:, :, None] * response.in_time(time - time_bin)[:, None, :]
    line = (pad_bin - matrices.low_pad[owner])[:, None] + response.pads
    line = matrices.place[owner][:, None] + line * matrices.times[owner][:, None]
    column = (time_bin - matrices.low_time[owner])[:, None] + response.times
    index = line[:, :, None] + column[:, None, :]
    charge = np.bincount(index.ravel(), pulses.ravel(), matrices.size)
    return Samples(matrices, _digitise(charge.astype(np.float64), detector, rng))


def _matrices(crossings: Crossings, detector: TPC, reach: tuple[int, int]) -> Matrices:
    """Return matrices with room for the own electrons' pulses and the cluster around them."""
    n, own = len(crossings.row), crossings.own
    limits = []
    positions = crossings.pad, crossings.time
    windows = detector.electronics.window
    for position, seen, window in zip(positions, reach, windows, strict=True):
        bins = np.floor(position[own]).astype(np.int64)
        low = np.full(n, np.iinfo(np.int64).max)
        high = np.full(n, np.iinfo(np.int64).min)
        np.minimum.at(low, crossings.owner[own], bins)
        np.maximum.at(high, crossings.owner[own], bins)
        border = seen + window
        limits.append((low - border, high - low + 1 + 2 * border))
    (low_pad, pads), (low_time, times) = limits
    return Matrices(low_pad, low_time, pads, times)


def _inside(crossings: Crossings, matrices: Matrices, reach: tuple[int, int]) -> IntArray:
    """Return the electrons all of whose pulse falls into the matrix of their row."""
    inside = np.ones(len(crossings.owner), dtype=bool)
    axes = (
        (crossings.pad, matrices.low_pad, matrices.pads, reach[0]),
        (crossings.time, matrices.low_time, matrices.times, reach[1]),
    )
    for position, low, number, seen in axes:
        offset = np.floor(position) - low[crossings.owner]
        inside &= (offset >= seen) & (offset < number[crossings.owner] - seen)
    return np.flatnonzero(inside)


def _amplify(n: int, detector: TPC, rng: np.random.Generator) -> FloatArray:
    """Return the height of each electron's pulse (n,): gamma-distributed, Polya's law."""
    shape = detector.amplification.spread**-2
    return rng.gamma(shape, detector.amplification.adc_per_electron / shape, n)


def _digitise(charge: FloatArray, detector: TPC, rng: np.random.Generator) -> FloatArray:
    """Return samples with noise, those below threshold suppressed, those above cut off.

    Samples are not rounded to integers: the rounding's 0.3 ADC are within the noise.
    """
    electronics = detector.electronics
    noisy = charge + electronics.noise * rng.standard_normal(len(charge))
    noisy[noisy < electronics.threshold] = 0
    return np.minimum(noisy, electronics.saturation)
