"""Which cell of the detector each place of the response is, for read-outs that move."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulacra.arrays import Array, IntArray
from simulacra.detectors.calorimeter.calorimeter import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.detectors.calorimeter.stack import Section


def moves(detector: Calorimeter) -> bool:
    """Return whether a place of the response is another cell of the detector in other events."""
    return not detector.stands_still


def grid_of(detector: Calorimeter, layer: str) -> tuple[int, int] | None:
    """Return the number of cells of a whole layer; None where its cells follow the particle."""
    section = _section(detector, layer)
    assert section.readout is not None
    cut = section.readout.segmentation
    if isinstance(cut, PolarSegmentation) and cut.squares is not None:
        return None
    return detector.grid(section)


def cell_numbers(detector: Calorimeter, layer: str, columns: Mapping[str, Array]) -> IntArray:
    """Return the number of the cell at each place of a layer's response, in the whole layer.

    Args:
        detector: the calorimeter.
        layer: name of a layer whose cells do not follow the particle (:func:`grid_of`).
        columns: conditions (n,), which place the particle where cells are read out in windows.

    Returns:
        Numbers (n, cells of the layer): x (or alpha) times the cells along y (or r) plus y (r).

    Raises:
        DetectorError: a condition that places the particle is missing.
    """
    section, found = _section(detector, layer), _layer(detector, layer)
    grid = detector.grid(section)
    n = len(next(iter(columns.values())))
    first = np.zeros(n, np.int64), np.zeros(n, np.int64)
    if detector.has_windows:
        first = detector.window_start(section, *detector.place(columns))
    a, b = (index.ravel() for index in np.indices(found.shape))
    numbers: IntArray = (first[0][:, None] + a) * grid[1] + first[1][:, None] + b
    return numbers


def _layer(detector: Calorimeter, name: str) -> Layer:
    return next(layer for layer in detector.layers if layer.name == name)


def _section(detector: Calorimeter, layer: str) -> Section:
    """Return the section of a layer; the layers of a section with ``each`` are numbered."""
    names = [
        (f"{section.name}_{copy}" if section.copies > 1 else section.name, section)
        for section in detector.readout_sections
        for copy in range(section.copies)
    ]
    return dict(names)[layer]
