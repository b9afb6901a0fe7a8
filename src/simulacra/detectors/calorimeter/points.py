"""Energies at points in space become the cells of the response, for many events at once.

A parametrisation deposits its energy in spots, a library in stored hits. Either reads out any
calorimeter: cells that stand still, windows around an impact, rings around the particle's line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.detectors.calorimeter.calorimeter import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.detectors.calorimeter.stack import Box, Section

OUTSIDE = -1
"""The cell of a point that is read out nowhere."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The straight lines of particles that enter a calorimeter.

    Attributes:
        x, y: where they cross the front (n,), mm.
        direction: unit vectors (n, 3).
    """

    x: FloatArray
    y: FloatArray
    direction: FloatArray

    @classmethod
    def of(
        cls, detector: Calorimeter, columns: Mapping[str, Array], rng: np.random.Generator
    ) -> Self:
        """Return the lines of conditions; what they do not say is drawn from the beam."""
        x, y = detector.enter(columns, rng)
        return cls(x, y, detector.directions(columns))

    def __len__(self) -> int:
        return len(self.x)

    def at(
        self, event: IntArray, depth: NDArray[np.floating[Any]]
    ) -> tuple[FloatArray, FloatArray]:
        """Return where the lines of events (p,) cross depths (p,), mm."""
        slope = self.direction[:, :2] / self.direction[:, 2:]
        x, y = (
            start[event] + slope[event, axis] * depth for axis, start in enumerate((self.x, self.y))
        )
        return x, y


@dataclass(frozen=True, slots=True)
class Points:
    """Energies in points of the stack.

    Attributes:
        event: whose they are (p,).
        x, y: mm, 0 being the middle of the face (p,).
        z: depth from the front, mm (p,).
        energy: deposited in sensitive matter, MeV (p,).
    """

    event: IntArray
    x: FloatArray
    y: FloatArray
    z: FloatArray
    energy: FloatArray

    def __len__(self) -> int:
        return len(self.event)


def read_out(detector: Calorimeter, lines: Lines, points: Points) -> NDArray[np.float32]:
    """Return the response (n, cells) in MeV: energies of points over the sampling fraction.

    Args:
        detector: the calorimeter.
        lines: of the n events.
        points: where energy is; what lies outside the cells is not read out.
    """
    n_cells = detector.n_cells
    showers = np.zeros(len(lines) * n_cells)
    for section, chosen, cell in placed(detector, lines, points):
        assert section.readout is not None
        place = points.event[chosen] * n_cells + cell
        energy = points.energy[chosen] / section.readout.sampling_fraction
        showers += np.bincount(place, energy, len(showers))
    return showers.reshape(len(lines), n_cells).astype(np.float32)


def placed(
    detector: Calorimeter, lines: Lines, points: Points
) -> Iterator[tuple[Section, IntArray, IntArray]]:
    """Yield each section with the points (k,) that lie in its cells, and these cells (k,).

    Points are numbers of ``points``, cells places in the response of an event.
    """
    inside = _within(detector, points)
    front, layer = 0.0, 0
    for section in detector.stack:
        back = front + section.thickness
        if section.readout is not None:
            chosen = np.flatnonzero(inside & (points.z >= front) & (points.z < back))
            step = section.thickness / section.copies
            copy = ((points.z[chosen] - front) / step).astype(np.int64)
            copy = np.minimum(copy, section.copies - 1)  # rounding at the back
            first = detector.layers[layer]
            middle = front + (copy + 0.5) * step
            cell = _cells(detector, section, first.shape, lines, points, chosen, middle)
            read = cell != OUTSIDE
            flat = first.cells.start + copy * math.prod(first.shape) + cell
            yield section, chosen[read], flat[read]
            layer += section.copies
        front = back


def _within(detector: Calorimeter, points: Points) -> BoolArray:
    """Return which points lie within the sides of the stack (p,)."""
    volume = detector.volume
    if not isinstance(volume, Box):
        within: BoolArray = np.hypot(points.x, points.y) < volume.radius
        return within
    half_x, half_y = volume.half_width
    return (np.abs(points.x) < half_x) & (np.abs(points.y) < half_y)


def _cells(
    detector: Calorimeter,
    section: Section,
    shape: tuple[int, int],
    lines: Lines,
    points: Points,
    chosen: IntArray,
    middle: NDArray[np.floating[Any]],
) -> IntArray:
    """Return the cells (k,) of chosen points (k,) within their layer, or :data:`OUTSIDE`.

    Args:
        detector: the calorimeter.
        section: whose layers the points lie in.
        shape: of a layer that is read out.
        lines: of the events.
        points: all points.
        chosen: those in the section (k,).
        middle: depths of their layers' middles (k,), mm.
    """
    assert section.readout is not None
    cut, event = section.readout.segmentation, points.event[chosen]
    x, y = points.x[chosen], points.y[chosen]
    if isinstance(cut, PolarSegmentation):
        if cut.squares is not None:  # rings around the particle's line
            line_x, line_y = lines.at(event, middle)
            x, y = x - line_x, y - line_y
        return cut.cells_at(x, y)
    assert isinstance(detector.volume, Box)
    starts = detector.window_start(section, lines.x, lines.y)
    index = [
        np.floor((value + width / 2) / size).astype(np.int64) - start[event]
        for value, width, size, start in zip(
            (x, y), detector.volume.width, cut.cell, starts, strict=True
        )
    ]
    inside = np.ones(len(chosen), bool)
    for number, count in zip(index, shape, strict=True):
        inside &= (number >= 0) & (number < count)
    cells: IntArray = np.where(inside, index[0] * shape[1] + index[1], OUTSIDE)
    return cells


def offsets(
    detector: Calorimeter, lines: Lines, section: Section, layer: Layer
) -> tuple[FloatArray, FloatArray]:
    """Return where the cells of a layer lie relative to the lines (n, cells), mm.

    The cells' middles, relative to the point in which each line crosses the middle of the layer. A
    ring that is not divided has no middle: the point at half its width towards +x stands for it.

    Args:
        detector: the calorimeter.
        lines: of the n events.
        section: whose layer it is.
        layer: the layer.
    """
    cut, n = layer.segmentation, len(lines)
    x, y = (np.tile(centres, (n, 1)) for centres in (layer.x, layer.y))
    if isinstance(cut, PolarSegmentation):
        if cut.alpha == 1:
            edges = np.asarray(cut.r_edges)
            x += (edges[1:] + edges[:-1]) / 2
        if cut.squares is not None:
            return x, y
    elif cut.window is not None:
        assert isinstance(detector.volume, Box)
        starts = detector.window_start(section, lines.x, lines.y)
        for centres, start, size, width, count in zip(
            (x, y), starts, cut.cell, detector.volume.width, layer.shape, strict=True
        ):
            centres += ((start + count / 2) * size - width / 2)[:, None]
    line_x, line_y = lines.at(np.arange(n), np.full(n, layer.depth))
    return x - line_x[:, None], y - line_y[:, None]


def sections_of_layers(detector: Calorimeter) -> Iterator[tuple[Section, Layer]]:
    """Yield each layer with its section, in the order of the response."""
    layers = iter(detector.layers)
    for section in detector.readout_sections:
        for _ in range(section.copies):
            yield section, next(layers)
