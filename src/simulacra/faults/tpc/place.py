"""A place in a TPC: pad rows, read-out chambers, sectors and a side."""

from __future__ import annotations

from typing import Literal

import numpy as np

from simulacra.arrays import BoolArray
from simulacra.detectors import TPC, Detector
from simulacra.detectors.base import Frozen
from simulacra.events import Events
from simulacra.faults.tpc.sectors import SECTORS, sector_of


class TPCPlace(Frozen):
    """Clusters that a fault strikes; without any key, all of them.

    Attributes:
        chamber: name of a group of pad rows.
        rows: first and last pad row, from the inside out, counted from 0.
        sectors: of 20 degrees, counted from phi = 0.
        side: of z, 1 or -1.
    """

    chamber: str | None = None
    rows: tuple[int, int] | None = None
    sectors: tuple[int, ...] | None = None
    side: Literal[-1, 1] | None = None

    def check(self, detector: Detector) -> None:
        """Raise a :class:`ValueError` where the detector has no such place."""
        assert isinstance(detector, TPC)
        names = [group.name for group in detector.pad_rows]
        if self.chamber is not None and self.chamber not in names:
            msg = f"no pad rows {self.chamber!r}; there are {', '.join(names)}"
            raise ValueError(msg)
        last = len(detector.row_radii) - 1
        if self.rows is not None and not 0 <= self.rows[0] <= self.rows[1] <= last:
            msg = f"rows are the first and the last of 0 to {last}, not {list(self.rows)}"
            raise ValueError(msg)
        if beyond := [s for s in self.sectors or () if not 0 <= s < SECTORS]:
            msg = f"sectors are numbered 0 to {SECTORS - 1}, not {beyond[0]}"
            raise ValueError(msg)

    def where(self, events: Events) -> BoolArray:
        """Return the clusters (n, rows); a row without a cluster is never struck."""
        detector = events.detector
        assert isinstance(detector, TPC)
        where: BoolArray = (events["cluster_mask"] > 0) & self._rows(detector)
        if self.sectors is not None:
            x, y = np.moveaxis(events["clusters"][..., :2], -1, 0)
            where &= np.isin(sector_of(x, y), self.sectors)
        if self.side is not None:
            where &= np.sign(events["clusters"][..., 2]) == self.side
        return where

    def notes(self, detector: Detector) -> tuple[str, ...]:  # noqa: ARG002
        """Return nothing: pad rows stand still."""
        return ()

    def _rows(self, detector: TPC) -> BoolArray:
        chosen = np.ones(len(detector.row_radii), bool)
        if self.chamber is not None:
            names = [group.name for group in detector.pad_rows for _ in range(group.rows)]
            chosen &= np.array([name == self.chamber for name in names])
        if self.rows is not None:
            numbers = np.arange(len(chosen))
            chosen &= (numbers >= self.rows[0]) & (numbers <= self.rows[1])
        return chosen
