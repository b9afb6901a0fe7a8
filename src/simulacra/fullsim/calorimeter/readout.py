"""From the energies that Geant4 scored in whole layers to the cells that the detector reads out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.stack import Section
from simulacra.errors import DetectorError


@dataclass(frozen=True, slots=True)
class SectionReadout:
    """Where the scores of one section go in the flat response.

    Attributes:
        name: the section's name.
        grid: cells of the whole layer that Geant4 scores, (x, y) or (alpha, r).
        copies: how many layers the section has; the scorer's third index.
        window: cells that are read out around the impact.
        cells: the section's place in the flat response, all copies.
        sampling_fraction: the deposited energy is divided by it.
    """

    name: str
    grid: tuple[int, int]
    copies: int
    window: tuple[int, int]
    cells: slice
    sampling_fraction: float

    def place(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where scored cells lie in the section's layers: copy after copy.

        Args:
            index: the scored cells' flat indices in (grid, copies).
        """
        cell, copy = np.divmod(index, self.copies)
        placed: NDArray[np.int64] = copy * math.prod(self.grid) + cell
        return placed

    def read(
        self, index: NDArray[np.int64], energy: FloatArray, start: tuple[int, int]
    ) -> FloatArray:
        """Return the energies of the window's cells in the detector's order.

        Args:
            index: the scored cells' flat indices in (grid, copies).
            energy: what was deposited in them, MeV.
            start: the window's first cell in the grid.
        """
        whole = np.zeros(math.prod(self.grid) * self.copies)
        whole[index] = energy
        first, second = start
        window = whole.reshape(*self.grid, self.copies)[
            first : first + self.window[0], second : second + self.window[1]
        ]
        flat: FloatArray = np.moveaxis(window, -1, 0).ravel() / self.sampling_fraction
        return flat


MOST_CELLS = 2**31 - 1
"""How many cells of a section Geant4's scorers can number."""


def section_readouts(detector: Calorimeter) -> tuple[SectionReadout, ...]:
    """Return the read-out of each section, along the beam."""
    readouts, layer = [], 0
    for section in detector.readout_sections:
        assert section.readout is not None
        copies = section.repeat if section.readout.each else 1
        layers = detector.layers[layer : layer + copies]
        layer += copies
        readouts.append(
            SectionReadout(
                section.name,
                detector.grid(section),
                copies,
                layers[0].shape,
                slice(layers[0].cells.start, layers[-1].cells.stop),
                section.readout.sampling_fraction,
            )
        )
    return tuple(readouts)


def window_starts(detector: Calorimeter, x: FloatArray, y: FloatArray) -> NDArray[np.int64]:
    """Return the first cell of each section's window, (n, sections, 2), for impacts in mm.

    Raises:
        DetectorError: a window leaves its layer.
    """
    sections = detector.readout_sections
    starts = np.empty((len(x), len(sections), 2), np.int64)
    for number, (section, readout) in enumerate(
        zip(sections, section_readouts(detector), strict=True)
    ):
        for axis, start in enumerate(detector.window_start(section, x, y)):
            starts[:, number, axis] = start
            _check_inside(detector, section, start, readout.window[axis], readout.grid[axis])
    return starts


def _check_inside(
    detector: Calorimeter, section: Section, start: NDArray[np.int64], count: int, size: int
) -> None:
    if len(start) and (start.min() < 0 or start.max() + count > size):
        msg = f"{detector.name}: an impact's window leaves the section {section.name}"
        raise DetectorError(msg)
