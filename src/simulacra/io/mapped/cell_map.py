"""Which of our cells a hit of others lies in: by their numbers, or by its position.

A cell's number here is its place in the flat response, from 0: layer after layer, in a layer as the
segmentation has it (Cartesian: x slowest, then y; polar: alpha, then r).
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.detectors.calorimeter.stack import Box
from simulacra.errors import EventsError
from simulacra.files.small_files import read_text
from simulacra.io.mapped.tables import scale_of, stated_unit

OUTSIDE, LEFT_OUT = -1, -2
"""In place of a cell: there is none, or the user's table says that this one does not count."""
EDGE = 1e-6
"""How near to an edge (mm) rounding may have put a point on its wrong side."""
_AXES = ("x", "y", "z")
_BITS = 0xFFFF_FFFF_FFFF_FFFF


def distinct_rows(table: IntArray) -> tuple[IntArray, IntArray]:
    """Return the rows of a table that differ, sorted, and for each row which one it is."""
    if table.shape[1] == 1:  # much quicker
        values, inverse = np.unique(table[:, 0], return_inverse=True)
        return values[:, None], inverse
    rows, inverse = np.unique(table, axis=0, return_inverse=True)
    return rows, inverse.reshape(-1)


def as_ids(name: str, values: Array) -> IntArray:
    """Return whole numbers as 64 bits, as they are: an unsigned bit field keeps its pattern.

    Raises:
        EventsError: a number has a fraction, or is too large to be exact in its type.
    """
    if values.dtype.kind in "biu":
        return values.astype(np.int64)
    whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) <= 2**53)
    if not np.all(whole):
        bad = values[~whole]
        msg = f"{name} holds {len(bad)} values that are no whole numbers, such as {bad[0]:g}"
        raise EventsError(msg)
    return values.astype(np.int64)


# --- by position ---------------------------------------------------------------------------------


def cells_at(detector: Calorimeter, points: Sequence[Array]) -> IntArray:
    """Return the cells (n,) that points lie in, OUTSIDE where there is none.

    Args:
        detector: one that is read out whole: no window follows the particle.
        points: x, y from the middle of the face and z from its front (n,), mm.

    Raises:
        EventsError: the read-out follows the particle.
    """
    x, y, z = (np.asarray(values, np.float64) for values in points)
    found = np.full(len(z), OUTSIDE, np.int64)
    for layer, (front, back) in zip(detector.layers, layer_extents(detector), strict=True):
        segmentation = layer.segmentation
        if isinstance(segmentation, PolarSegmentation):
            follows, cell = segmentation.squares is not None, segmentation.cells_at(x, y)
        else:
            follows, cell = (
                segmentation.window is not None,
                _square(detector, segmentation.cell, x, y),
            )
        if follows:
            msg = (
                f"the read-out of {detector.name} follows the particle: positions do not say the "
                "cell; map their cells to ours (--cells with the column cell)"
            )
            raise EventsError(msg)
        within = (front - EDGE <= z) & (z <= back + EDGE) & (cell >= 0)  # the next one has the edge
        found[within] = layer.cells.start + cell[within]
    return found


def _square(
    detector: Calorimeter, size: tuple[float, float], x: FloatArray, y: FloatArray
) -> IntArray:
    """Return the cells of a layer of rectangles (n,); -1 outside."""
    assert isinstance(detector.volume, Box)
    indices, counts = [], []
    for values, width, cell in zip((x, y), detector.volume.width, size, strict=True):
        counts.append(round(width / cell))
        # on the outer edge, up to rounding, is inside
        edge = np.abs(np.abs(values) - width / 2) < EDGE
        inner = np.where(edge, np.sign(values) * (width / 2 - EDGE), values)
        indices.append(np.floor((inner + width / 2) / cell).astype(np.int64))
    row, column = indices
    inside = (row >= 0) & (row < counts[0]) & (column >= 0) & (column < counts[1])
    cells: IntArray = np.where(inside, row * counts[1] + column, OUTSIDE)
    return cells


def layer_extents(detector: Calorimeter) -> list[tuple[float, float]]:
    """Return where each layer begins and ends along z, mm from the front of the stack."""
    extents = []
    front = 0.0
    for section in detector.stack:
        if section.readout is not None:
            copies = section.repeat if section.readout.each else 1
            edges = front + section.thickness * np.arange(copies + 1) / copies
            extents += list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        front += section.thickness
    return extents


# --- by the user's table -------------------------------------------------------------------------


@dataclass(frozen=True)
class CellTable:
    """A user's CSV file: in each row a cell's numbers in their file, and which of ours it is.

    Attributes:
        path: the file.
        names: of the columns that number their cells.
        ids: those numbers (cells, names), 64 bits.
        cells: our cells (cells,); LEFT_OUT where the row says none.
    """

    path: Path
    names: tuple[str, ...]
    ids: IntArray
    cells: IntArray

    @cached_property
    def _places(self) -> dict[bytes, int]:
        return {row.tobytes(): n for n, row in enumerate(np.ascontiguousarray(self.ids))}

    def find(self, ids: Sequence[Array]) -> IntArray:
        """Return our cells (n,) for their numbers, one array (n,) for each of the columns.

        Raises:
            EventsError: the file has another number of columns.
        """
        if len(ids) != len(self.names):
            msg = (
                f"{self.path} numbers cells by {', '.join(self.names)}, the mapping of cell_id by "
                f"{len(ids)} columns"
            )
            raise EventsError(msg)
        table = np.stack([as_ids("cell_id", values) for values in ids], axis=1)
        different, inverse = distinct_rows(table)
        rows = (self._places.get(row.tobytes()) for row in np.ascontiguousarray(different))
        cells = np.array([OUTSIDE if row is None else self.cells[row] for row in rows], np.int64)
        return cells[inverse]


def read_cell_table(
    path: Path, detector: Calorimeter, origin: tuple[float, float, float] | None
) -> CellTable:
    """Read a CSV file that maps their cells to ours.

    Its first line names the columns. ``cell`` (or the second of two) is our number, ``x``, ``y``
    and ``z`` with their unit (``x [mm]``) are the position of the cell's middle; all others are
    their numbers, in the order of the mapping of cell_id. An empty ``cell`` leaves a cell out.

    Raises:
        EventsError: the file is missing or of another form, numbers a cell twice, or a cell of ours
            does not exist.
    """
    header, rows = _read_csv(path)
    positions = {axis: n for axis in _AXES for n, name in enumerate(header) if _axis(name) == axis}
    ours = header.index("cell") if "cell" in header else None
    if ours is None and len(header) == 2 and not positions:
        ours = 1
    keys = [n for n in range(len(header)) if n != ours and n not in positions.values()]
    if ours is None and len(positions) < 3:
        msg = (
            f"{path} has the columns {', '.join(header)}; needed is 'cell' (our number), or "
            "'x [mm]', 'y [mm]' and 'z [mm]'"
        )
        raise EventsError(msg)
    if not keys:
        msg = f"{path}: no column with their number of a cell beside {', '.join(header)}"
        raise EventsError(msg)
    ids = _ids(path, header, rows, keys)
    if ours is not None and origin is not None:
        msg = f"{path} has no positions, which --origin belongs to"
        raise EventsError(msg)
    if ours is not None:
        cells = _own_cells(path, detector, [row[ours] for row in rows])
    else:
        cells = _cells_of_positions(path, detector, header, rows, positions, origin)
    different, _ = distinct_rows(ids)
    if len(different) != len(ids):
        msg = f"{path}: {len(ids) - len(different)} cells are there twice"
        raise EventsError(msg)
    return CellTable(path, tuple(header[n] for n in keys), ids, cells)


def _read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = read_text(path, EventsError, encoding="utf-8-sig")
    except OSError as error:
        msg = f"{path}: not a readable CSV file: {error}"
        raise EventsError(msg) from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    first = lines[0] if lines else ""
    delimiter = next((sign for sign in (",", ";", "\t") if sign in first), ",")
    try:
        table = [[entry.strip() for entry in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        msg = f"{path}: not a readable CSV file: {error}"
        raise EventsError(msg) from None
    if len(table) < 2 or any(len(row) != len(table[0]) for row in table):
        msg = f"{path}: a line of names and lines of as many entries are needed"
        raise EventsError(msg)
    return table[0], table[1:]


def _axis(name: str) -> str | None:
    """Return which coordinate a column's name means: ``x``, ``x [mm]``, ``x_mm``."""
    word = (
        name.lower().replace("[", " ").replace("_", " ").replace("(", " ").replace("/", " ").split()
    )
    return word[0] if word and word[0] in _AXES else None


def _ids(path: Path, header: list[str], rows: list[list[str]], keys: list[int]) -> IntArray:
    try:
        numbers = [[int(row[n], 0) for n in keys] for row in rows]
    except ValueError as error:
        msg = f"{path}: {', '.join(header[n] for n in keys)} must be whole numbers: {error}"
        raise EventsError(msg) from None
    if any(not -(2**63) <= number < 2**64 for row in numbers for number in row):
        msg = f"{path}: a number of a cell has more than 64 bits"
        raise EventsError(msg)
    patterns = np.array([[number & _BITS for number in row] for row in numbers], np.uint64)
    return patterns.astype(np.int64)


def _own_cells(path: Path, detector: Calorimeter, texts: list[str]) -> IntArray:
    try:
        cells = np.array([int(text) if text else LEFT_OUT for text in texts], np.int64)
    except (ValueError, OverflowError) as error:
        msg = f"{path}: cell must be a whole number or empty: {error}"
        raise EventsError(msg) from None
    beyond = cells[(cells >= detector.n_cells) | ((cells < 0) & (cells != LEFT_OUT))]
    if len(beyond):
        msg = (
            f"{path}: {len(beyond)} rows name a cell that {detector.name} has not, such as "
            f"{beyond[0]}; it has 0 to {detector.n_cells - 1}"
        )
        raise EventsError(msg)
    return cells


def _cells_of_positions(
    path: Path,
    detector: Calorimeter,
    header: list[str],
    rows: list[list[str]],
    positions: dict[str, int],
    origin: tuple[float, float, float] | None,
) -> IntArray:
    scales = []
    for axis in _AXES:
        name = header[positions[axis]]
        unit = stated_unit(name, "") or re.split("[_/]", name)[-1]  # a metre is one letter
        try:
            scales.append(scale_of(unit, "length"))
        except ValueError:
            msg = f"{path}: the column {name!r} needs a unit: '{axis} [mm]' or '{axis} [cm]'"
            raise EventsError(msg) from None
    try:
        points = [
            np.array([float(row[positions[axis]]) * scale for row in rows])
            for axis, scale in zip(_AXES, scales, strict=True)
        ]
    except ValueError as error:
        msg = f"{path}: positions must be numbers: {error}"
        raise EventsError(msg) from None
    cells = cells_at(detector, shifted(points, origin))
    outside = np.flatnonzero(cells == OUTSIDE)
    if len(outside):
        where = ", ".join(f"{values[outside[0]]:g}" for values in points)
        msg = (
            f"{path}: {len(outside)} of {len(cells)} positions lie in no cell of {detector.name}, "
            f"such as ({where}) mm; {extent_text(detector)}"
        )
        raise EventsError(msg)
    return cells


def shifted(points: Sequence[Array], origin: tuple[float, float, float] | None) -> list[FloatArray]:
    """Return positions (mm) relative to the middle of the detector's front."""
    middle = origin or (0.0, 0.0, 0.0)
    return [np.asarray(v, np.float64) - start for v, start in zip(points, middle, strict=True)]


def extent_text(detector: Calorimeter) -> str:
    """Return where a detector's cells lie, for a message."""
    extents = layer_extents(detector)
    if isinstance(detector.volume, Box):
        width, height = detector.volume.width
        across = f"x within ±{width / 2:g}, y within ±{height / 2:g}"
    else:
        across = f"a radius of {detector.volume.radius:g}"
    return (
        f"its layers go from z = {extents[0][0]:g} to {math.ceil(extents[-1][1] * 1e6) / 1e6:g} mm "
        f"from the front, with {across} mm (--origin says where the front is in their coordinates)"
    )
