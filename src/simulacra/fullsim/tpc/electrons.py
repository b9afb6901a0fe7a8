"""From deposits to electrons at the end plates: ionisation, drift, diffusion, attachment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.detectors import TPC
from simulacra.fullsim.tpc.deposits import Deposits


@dataclass(frozen=True, slots=True)
class Electrons:
    """Electrons that reach a pad row.

    Attributes:
        row: pad row, from the inside out (n,).
        side: the end plate, 1 at positive and -1 at negative z (n,).
        phi: azimuth on arrival (n,), rad.
        drift_time: from the collision to the arrival, without the particle's own flight (n,), ns.
        time: of the deposit, since the collision (n,), ns.
        track: number of the track that made them (n,); 1 is the particle itself.
    """

    row: IntArray
    side: IntArray
    phi: FloatArray
    drift_time: FloatArray
    time: FloatArray
    track: IntArray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: Array) -> Electrons:
        """Return the electrons of an index or a Boolean mask."""
        return Electrons(
            self.row[index],
            self.side[index],
            self.phi[index],
            self.drift_time[index],
            self.time[index],
            self.track[index],
        )


def ionise(energy: FloatArray, detector: TPC, rng: np.random.Generator) -> IntArray:
    """Return the number of electron-ion pairs of each deposit (n,).

    The mean is the energy over the mean energy W for a pair. The variance is the mean times the
    Fano factor F: the number is binomial with success probability 1 - F, which keeps it from
    falling below zero where a deposit makes few pairs (U. Fano, 1947, Phys. Rev. 72, 26).
    """
    gas = detector.gas
    pairs = energy / gas.energy_per_electron
    trials = np.floor(pairs / (1 - gas.fano) + rng.random(len(pairs))).astype(np.int64)
    return rng.binomial(trials, 1 - gas.fano)


def place(
    deposits: Deposits, detector: TPC, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Return the step of each electron (m,) and where it was set free (m, 3), mm.

    Primary collisions are uniform along a step. Each leaves a few electrons in one place, whose
    number is geometric: every next electron of a step is from a new collision with the same
    probability. Large losses are Geant4's business, so the law's tail matters little.
    """
    step = np.repeat(np.arange(len(deposits)), ionise(deposits.energy, detector, rng))
    new = rng.random(len(step)) < 1 / detector.gas.electrons_per_cluster
    new |= np.diff(step, prepend=-1) > 0
    collision = np.cumsum(new) - 1
    along = rng.random(int(new.sum()))[collision]
    start = deposits.start[step]
    return step, start + along[:, None] * (deposits.stop[step] - start)


def drift(deposits: Deposits, detector: TPC, rng: np.random.Generator) -> Electrons:
    """Return the electrons of the deposits that arrive at a pad row.

    Each drifts parallel to z to its end plate, over the length L. On the way it diffuses by
    D sqrt(L) in each direction, and may be lost to attachment.
    """
    step, where = place(deposits, detector, rng)
    length = detector.drift_length - np.abs(where[:, 2])
    law = detector.drift
    root = np.sqrt(np.clip(length, 0, None))
    spread = rng.standard_normal((len(step), 3)) * root[:, None]
    x, y = (where[:, axis] + law.transverse_diffusion * spread[:, axis] for axis in (0, 1))
    row = rows_at(detector, np.hypot(x, y))
    arrives = (row >= 0) & (length > 0)
    if law.attachment:
        arrives &= rng.random(len(step)) < np.exp(-law.attachment * length)
    electrons = Electrons(
        row,
        np.where(where[:, 2] < 0, -1, 1),
        np.arctan2(y, x),
        (length + law.longitudinal_diffusion * spread[:, 2]) / law.velocity,
        deposits.time[step],
        deposits.track[step],
    )
    return electrons.take(arrives)


def rows_at(detector: TPC, radius: FloatArray) -> IntArray:
    """Return the pad row at each radius (n,) in mm; -1 where there is none."""
    row = np.full(len(radius), -1)
    first = 0
    for group in detector.pad_rows:
        place = np.floor((radius - group.inner_radius) / group.pitch)
        inside = (place >= 0) & (place < group.rows)
        row[inside] = first + place[inside].astype(np.int64)
        first += group.rows
    return row
