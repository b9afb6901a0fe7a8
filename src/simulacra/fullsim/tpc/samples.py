"""From electrons to the samples of pads: amplification, response, noise, zero suppression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Tpc
from simulacra.fullsim.tpc.crossings import Crossings, pads_in_circle

PADS, TIMES = np.arange(-2, 3), np.arange(-3, 4)
"""Pads and time bins around an electron that see it: 4.9 and 4.3 widths of its pulse away."""
REACH = 2
"""Samples of a cluster on either side of its largest one."""
BORDER = PADS[-1] + REACH, TIMES[-1] + REACH
FWHM = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of n crossings: matrices (pads, time bins), one behind the other.

    Attributes:
        low_pad, low_time: what each matrix starts with, in the coordinates of the crossing (n,).
        pads, times: its shape (n,).
        place: where it starts in ``values`` (n,).
        values: ADC counts; 0 where nothing is read out.
    """

    low_pad: IntArray
    low_time: IntArray
    pads: IntArray
    times: IntArray
    place: IntArray
    values: FloatArray


def sample(crossings: Crossings, detector: Tpc, rng: np.random.Generator) -> Samples:
    """Return what the electronics deliver around each crossing."""
    matrices = _matrices(crossings)
    inside = _inside(crossings, matrices)
    owner, pad, time = crossings.owner[inside], crossings.pad[inside], crossings.time[inside]
    own_pad, own_time = np.floor(pad).astype(np.int64), np.floor(time).astype(np.int64)
    height = _amplify(len(owner), detector, rng)
    on_pads = _pad_response(pad - own_pad, _pad_widths(crossings, detector)[owner])
    in_time = _pulse(time - own_time, detector)
    # (electrons, pads, time bins)
    pulses = (height[:, None] * on_pads)[:, :, None] * in_time[:, None, :]
    pad_place = own_pad[:, None] + PADS - matrices.low_pad[owner][:, None]
    line = matrices.place[owner][:, None] + pad_place * matrices.times[owner][:, None]
    column = own_time[:, None] + TIMES - matrices.low_time[owner][:, None]
    index = line[:, :, None] + column[:, None, :]
    charge = np.bincount(index.ravel(), pulses.ravel(), len(matrices.values)).astype(np.float64)
    return _with(matrices, _digitise(charge, detector, rng))


def _matrices(crossings: Crossings) -> Samples:
    """Return empty matrices that hold the crossings' own electrons and a border."""
    n, own = len(crossings.row), crossings.own
    limits = []
    for position, border in zip((crossings.pad, crossings.time), BORDER, strict=True):
        bins = np.floor(position[own]).astype(np.int64)
        low = np.full(n, np.iinfo(np.int64).max)
        high = np.full(n, np.iinfo(np.int64).min)
        np.minimum.at(low, crossings.owner[own], bins)
        np.maximum.at(high, crossings.owner[own], bins)
        limits.append((low - border, high - low + 1 + 2 * border))
    (low_pad, pads), (low_time, times) = limits
    size = pads * times
    place = np.cumsum(size) - size
    return Samples(low_pad, low_time, pads, times, place, np.zeros(int(size.sum())))


def _inside(crossings: Crossings, matrices: Samples) -> IntArray:
    """Return the electrons all of whose pulse falls into the matrix of their row."""
    inside = np.ones(len(crossings.owner), dtype=bool)
    sides = (
        (crossings.pad, matrices.low_pad, matrices.pads, PADS[-1]),
        (crossings.time, matrices.low_time, matrices.times, TIMES[-1]),
    )
    for position, low, number, reach in sides:
        offset = np.floor(position) - low[crossings.owner]
        inside &= (offset >= reach) & (offset < number[crossings.owner] - reach)
    return np.flatnonzero(inside)


def _amplify(n: int, detector: Tpc, rng: np.random.Generator) -> FloatArray:
    """Return the height of each electron's pulse (n,): gamma-distributed, Polya's law."""
    shape = detector.amplification.spread**-2
    return rng.gamma(shape, detector.amplification.adc_per_electron / shape, n)


def _pad_widths(crossings: Crossings, detector: Tpc) -> FloatArray:
    """Return the width of the pad response in pads (n,)."""
    groups = detector.pad_rows
    response = np.repeat([g.pad_response for g in groups], [g.rows for g in groups])
    pitch = 2 * np.pi * detector.row_radii / pads_in_circle(detector)
    return (response / pitch)[crossings.row]


def _pad_response(position: FloatArray, width: FloatArray) -> FloatArray:
    """Return each pad's part of the pulse (m, pads): a Gaussian sampled at the pads' middles."""
    distance = (PADS + 0.5 - position[:, None]) / width[:, None]
    return np.exp(-0.5 * distance**2) / (math.sqrt(2 * math.pi) * width[:, None])


def _pulse(position: FloatArray, detector: Tpc) -> FloatArray:
    """Return the pulse (m, time bins) at the bins' middles: a Gaussian of height 1."""
    electronics = detector.electronics
    width = electronics.shaping / FWHM / electronics.sampling
    distance = (TIMES + 0.5 - position[:, None]) / width
    return np.exp(-0.5 * distance**2)


def _digitise(charge: FloatArray, detector: Tpc, rng: np.random.Generator) -> FloatArray:
    """Return samples with noise, those below threshold suppressed, those above cut off.

    Samples are not rounded to integers: the rounding's 0.3 ADC are within the noise.
    """
    electronics = detector.electronics
    noisy = charge + electronics.noise * rng.standard_normal(len(charge))
    noisy[noisy < electronics.threshold] = 0
    return np.minimum(noisy, electronics.saturation)


def _with(matrices: Samples, values: FloatArray) -> Samples:
    return Samples(
        matrices.low_pad,
        matrices.low_time,
        matrices.pads,
        matrices.times,
        matrices.place,
        values,
    )
