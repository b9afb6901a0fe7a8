"""A place in a calorimeter: a layer, places of the response, or cells of the detector itself."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import model_validator

from simulacra.arrays import BoolArray
from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.base import Frozen
from simulacra.detectors.calorimeter.cell_numbers import cell_numbers, grid_of, moves
from simulacra.events import Events


class CalorimeterPlace(Frozen):
    """Cells that a fault strikes; without any key, all of them.

    Attributes:
        layer: name of a layer.
        cells: places in the response, counted within the layer where one is named.
        grid: cells (x, y) or (alpha, r) of the whole layer: these stand still in the detector,
            also where cells are read out in a window around the impact.
    """

    layer: str | None = None
    cells: tuple[int, ...] | None = None
    grid: tuple[tuple[int, int], ...] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.grid is not None and (self.layer is None or self.cells is not None):
            msg = "grid: cells of a layer; name the layer, and give no 'cells'"
            raise ValueError(msg)
        return self

    def check(self, detector: Detector) -> None:
        """Raise a :class:`ValueError` where the detector has no such cells."""
        assert isinstance(detector, Calorimeter)
        names = [layer.name for layer in detector.layers]
        if self.layer is not None and self.layer not in names:
            msg = f"{detector.name} has no layer {self.layer!r}; there are {', '.join(names)}"
            raise ValueError(msg)
        span = self._span(detector)
        last = span.stop - span.start - 1
        if beyond := [cell for cell in self.cells or () if not 0 <= cell <= last]:
            msg = f"cells are numbered 0 to {last}, not {beyond[0]}"
            raise ValueError(msg)
        if self.grid is None:
            return
        shape = grid_of(detector, str(self.layer))
        if shape is None:
            msg = f"the cells of {self.layer} follow the particle: none stands still"
            raise ValueError(msg)
        for a, b in self.grid:
            if not (0 <= a < shape[0] and 0 <= b < shape[1]):
                msg = f"the grid of {self.layer} has {shape[0]} x {shape[1]} cells, no ({a}, {b})"
                raise ValueError(msg)

    def where(self, events: Events) -> BoolArray:
        """Return the cells (1, cells), or (n, cells) where cells of the grid are named."""
        detector = events.detector
        assert isinstance(detector, Calorimeter)
        span = self._span(detector)
        chosen = np.zeros((1, detector.n_cells), bool)
        if self.grid is not None:
            shape = grid_of(detector, str(self.layer))
            assert shape is not None
            wanted = [a * shape[1] + b for a, b in self.grid]
            numbers = cell_numbers(detector, str(self.layer), events.conditions.columns)
            chosen = np.zeros((len(events), detector.n_cells), bool)
            chosen[:, span] = np.isin(numbers, wanted)
        elif self.cells is not None:
            chosen[0, span.start + np.asarray(self.cells, np.int64)] = True
        else:
            chosen[0, span] = True
        return chosen

    def notes(self, detector: Detector) -> tuple[str, ...]:
        """Return that cells of a window are no cells of the detector."""
        assert isinstance(detector, Calorimeter)
        if self.cells is None or not moves(detector):
            return ()
        return (
            f"the cells of {detector.name} are read out around the impact: 'cells' are places in "
            "that window; 'grid' names cells that stand still",
        )

    def _span(self, detector: Calorimeter) -> slice:
        for layer in detector.layers:
            if layer.name == self.layer:
                return layer.cells
        return slice(0, detector.n_cells)
