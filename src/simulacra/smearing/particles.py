"""Generated particles, event by event."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.errors import EventsError
from simulacra.helix import charges

STRAIGHT_ON = 20.0
"""Largest |pseudorapidity|: beyond it a direction is the beam's."""


@dataclass(frozen=True, slots=True)
class Particles:
    """Stable particles of events.

    Attributes:
        event: the event of each (n,), ascending from 0.
        pdg: PDG ids (n,).
        pt: transverse momenta (n,), MeV.
        eta: pseudorapidities (n,).
        phi: azimuths of the momenta (n,), rad.
        mass: (n,), MeV.
        vertex: where they begin (n, 3), mm.
        n_events: how many events there are; some may be empty.
    """

    event: IntArray
    pdg: IntArray
    pt: FloatArray
    eta: FloatArray
    phi: FloatArray
    mass: FloatArray
    vertex: FloatArray
    n_events: int

    @classmethod
    def of(
        cls,
        event: Array,
        pdg: Array,
        pt: Array,
        eta: Array,
        phi: Array,
        mass: Array,
        vertex: Array | None = None,
        n_events: int | None = None,
    ) -> Self:
        """Return particles of these columns, checked.

        Args:
            event: (n,), ascending.
            pdg: (n,).
            pt: (n,), MeV.
            eta: (n,).
            phi: (n,), rad.
            mass: (n,), MeV.
            vertex: (n, 3), mm; None: all begin in the middle of the detector.
            n_events: None: up to the last event that has a particle.

        Raises:
            EventsError: columns have different lengths, a number is not finite, a momentum is not
                positive, or events do not ascend.
        """
        numbers = [np.asarray(column, np.float64) for column in (pt, eta, phi, mass)]
        which, ids = np.asarray(event, np.int64), np.asarray(pdg, np.int64)
        where = np.zeros((len(which), 3)) if vertex is None else np.asarray(vertex, np.float64)
        n = len(which)
        if any(column.shape != (n,) for column in (ids, *numbers)) or where.shape != (n, 3):
            msg = "particles: columns of one length are needed, and vertices of three coordinates"
            raise EventsError(msg)
        if not all(np.isfinite(column).all() for column in (*numbers, where)):
            msg = "particles: a number is not finite"
            raise EventsError(msg)
        if np.any(numbers[0] <= 0) or np.any(numbers[3] < 0):
            msg = "particles: transverse momenta must be positive, masses not negative"
            raise EventsError(msg)
        if np.any(np.abs(numbers[1]) > STRAIGHT_ON):
            msg = f"particles: pseudorapidities lie within {STRAIGHT_ON:g}"
            raise EventsError(msg)
        last = int(which[-1]) + 1 if n else 0
        total = last if n_events is None else n_events
        if np.any(np.diff(which) < 0) or (n and which[0] < 0) or last > total:
            msg = f"particles: event numbers ascend from 0 and lie below {total}"
            raise EventsError(msg)
        momenta, directions, azimuths, masses = numbers
        return cls(which, ids, momenta, directions, azimuths, masses, where, total)

    def __len__(self) -> int:
        return len(self.event)

    def take(self, index: Array) -> Self:
        """Return the particles of ``index``: ascending positions or a Boolean mask."""
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "n_events"}
        return type(self)(**{k: v[index] for k, v in columns.items()}, n_events=self.n_events)

    @property
    def momentum(self) -> FloatArray:
        """Absolute momenta (n,), MeV."""
        return self.pt * np.cosh(self.eta)

    @property
    def energy(self) -> FloatArray:
        """Total energies (n,), MeV."""
        return np.hypot(self.momentum, self.mass)

    @property
    def charge(self) -> FloatArray:
        """Charges (n,) in units of e."""
        found: FloatArray = charges(self.pdg, np.unique(self.pdg).tolist(), self.pt)
        return found
