"""What is seen of each primary: deposits, escapes, and the particles that simulators answer for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.hybrid.rules import Entries, Outcome, lowest_energies
from simulacra.hybrid.setup import Setup


class EnergyLedger:
    """What was seen of each primary of a chunk, and the decision for each particle that enters."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._lowest = lowest_energies(setup.rules)

    def open(self, n: int) -> None:
        """Begin a chunk of ``n`` primaries."""
        self.primary = -1
        self.audit = np.zeros((n, 4))
        self._hits: list[NDArray[np.int32]] = []
        self._energy: list[NDArray[np.float32]] = []
        self._requests: list[tuple[int, ...]] = []
        self._entered: list[tuple[float, ...]] = []

    def close(self) -> dict[str, Array]:
        """Return all that was booked. Primaries are numbered within the chunk.

        Returns:
            ``hits`` (h, 3): primary, region, cell among all cells of the region's layers;
            ``energy`` (h,): what is in these cells, MeV;
            ``requests`` (t, 5): primary, region, rule, :class:`Outcome` and PDG id of each particle
            for which a rule wants a simulator to answer;
            ``entered`` (t, 7): kinetic energy in MeV, impact x and y in mm, angle and theta in
            rad, distance from the face's edges in mm and azimuth in rad of these, as
            :class:`Entries` has them;
            ``audit`` (n, 4): energy in MeV that each primary brought, that was deposited, that
            escaped from the world, and that was handed over.
        """
        return {
            "hits": np.concatenate([np.zeros((0, 3), np.int32), *self._hits]),
            "energy": np.concatenate([np.zeros(0, np.float32), *self._energy]),
            "requests": np.array(self._requests, np.int32).reshape(-1, 5),
            "entered": np.array(self._entered, np.float64).reshape(-1, 7),
            "audit": self.audit,
        }

    def bring(self, energy: float) -> None:
        """Begin the next primary, which brings an energy."""
        self.primary += 1
        self.audit[self.primary, 0] = energy

    def deposit(self, energy: float) -> None:
        """Add energy that was deposited."""
        self.audit[self.primary, 1] += energy

    def escape(self, energy: float) -> None:
        """Add energy that left the world."""
        self.audit[self.primary, 2] += energy

    def hit(self, region: int, cells: IntArray, energy: FloatArray) -> None:
        """Add the energies (h,) of cells (h,) of a region's layers."""
        place = np.broadcast_to([self.primary, region], (len(cells), 2))
        self._hits.append(np.column_stack([place, cells]).astype(np.int32))
        self._energy.append(energy.astype(np.float32))

    def considers(self, pdg: int, energy: float) -> bool:
        """Return whether any rule could hand such a particle over: a look-up for every entry."""
        return energy >= self._lowest.get(pdg, math.inf)

    def take(
        self, pdg: int, energy: float, point: FloatArray, direction: FloatArray, available: float
    ) -> bool:
        """Return whether a simulator answers for a particle that stands at a face, and book it.

        Args:
            pdg: PDG id.
            energy: kinetic energy, MeV.
            point: where it is in the world (3,), mm.
            direction: where it flies to (3,).
            available: the energy that it could release, MeV.
        """
        for number, region in enumerate(self._setup.regions):
            if not region.on_face(point):
                continue
            arrays = np.array([pdg]), np.array([energy]), point[None], direction[None]
            inside, entries = region.entries(*arrays)
            if inside[0]:
                return self._decide(number, entries, available)
        return False

    def _decide(self, number: int, entries: Entries, available: float) -> bool:
        rule, outcome = self._setup.decide(self._setup.regions[number], entries)
        if rule[0] < 0:
            return False
        what = (self.primary, number, rule[0], outcome[0], entries.pdg[0])
        way = (entries.angle, entries.theta, entries.margin, entries.phi)
        how = (entries.energy, entries.x, entries.y, *way)
        self._requests.append(tuple(int(value) for value in what))
        self._entered.append(tuple(float(value[0]) for value in how))
        taken = bool(outcome[0] == Outcome.HANDED_OVER)
        if taken:
            self.audit[self.primary, 3] += available
        return taken
