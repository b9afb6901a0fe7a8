"""The energies of cells, from arrays of all cells or from hits, in the file's own unit."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array, IntArray
from simulacra.detectors import Calorimeter
from simulacra.errors import EventsError
from simulacra.io.mapped.cell_map import (
    LEFT_OUT,
    OUTSIDE,
    as_ids,
    cells_at,
    extent_text,
    read_cell_table,
    shifted,
)
from simulacra.io.mapped.mapping import LENGTHS, Layout, Place
from simulacra.io.mapped.plan import Plan
from simulacra.io.mapped.rows import Rows, read_keys
from simulacra.io.mapped.scaling import floating, scale_stated


def read_cells(
    plan: Plan, rows: Rows, layout: Layout, detector: Calorimeter, notes: list[str]
) -> tuple[Array, bool]:
    """Return cells (events, cells) as the file has them, and whether a geometry placed them."""
    for target in ("cells", "cell_energy"):
        if target in plan.places and (unit := plan.places[target].unit):
            scale_stated(target, unit, "energy")
    if "cells" in plan.places:
        dense = _dense(plan.places["cells"], rows.hits, detector, layout)
        if layout.cells is None and rows.event is None:
            _refuse_origin(layout)
            return dense, False
        if rows.event is not None:
            read_keys(plan, plan.hits).require_unique()
        index = np.tile(np.arange(dense.shape[1]), len(dense))
        energies, counts = dense.reshape(-1), np.full(len(dense), dense.shape[1])
        ids: list[Array] = [index]
    else:
        place = plan.places["cell_energy"]
        energies, counts = place.table.read(place.columns[0], rows.hits).lists()
        ids = _hit_columns(plan, rows, counts)
    event = np.repeat(np.arange(len(counts)) if rows.event is None else rows.event, counts)
    # nothing deposited is no hit: arrays of fixed length end in such entries
    mine = (event >= 0) & (event < rows.count) & (energies != 0)
    if not np.all(mine):
        event, energies, ids = event[mine], energies[mine], [values[mine] for values in ids]
    cell, mapped = _find_cells(plan, layout, detector, ids)
    _require_found(cell, energies, ids, plan, detector)
    left_out = cell == LEFT_OUT
    if np.any(left_out):
        part = energies[left_out].sum(dtype=np.float64) / (energies.sum(dtype=np.float64) or 1.0)
        notes.append(f"{left_out.sum()} hits with {part:.1%} of the energy are left out by --cells")
        event, energies, cell = (values[~left_out] for values in (event, energies, cell))
    # several deposits in one cell are its energy together, added in double precision
    place_of = event * detector.n_cells + cell
    total = np.bincount(
        place_of, weights=energies.astype(np.float64), minlength=rows.count * detector.n_cells
    )
    kind = floating(energies[:0]).dtype
    return total.astype(kind, copy=False).reshape(rows.count, detector.n_cells), mapped


def _dense(place: Place, rows: slice, detector: Calorimeter, layout: Layout) -> Array:
    """Return all cells of events (n, cells), from one column or several."""
    arrays = [
        place.table.read(name, rows).regular(f"{place.table.name}/{name}") for name in place.columns
    ]
    if not len(arrays[0]):
        return np.zeros((0, detector.n_cells), np.float32)
    shapes = [array.shape[1:] for array in arrays]
    layers = [layer.shape for layer in detector.layers]
    cube = (len(layers), *layers[0]) if len(set(layers)) == 1 else None
    in_order = all(len(shape) < 2 for shape in shapes) or shapes == layers or shapes == [cube]
    count = sum(int(np.prod(shape)) for shape in shapes)
    if (not in_order or count != detector.n_cells) and layout.cells is None:
        has = str(shapes[0]) if len(shapes) == 1 else f"{count} ({len(shapes)} columns)"
        msg = (
            f"cells has {has} values an event, detector {detector.name} reads out "
            f"({detector.n_cells},): a file of another detector, or other axes?"
        )
        raise EventsError(msg)
    flat = [floating(array.reshape(len(array), -1)) for array in arrays]
    return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)


def _hit_columns(plan: Plan, rows: Rows, counts: IntArray) -> list[Array]:
    """Return the numbers of the cells of hits, or their position in mm: one array (hits,) each."""
    found = []
    for target in ("cell_id",) if "cell_id" in plan.places else LENGTHS:
        place = plan.places[target]
        for name in place.columns:
            values, own = place.table.read(name, rows.hits).lists()
            if not np.array_equal(own, counts):
                msg = (
                    f"{target} and cell_energy have different lengths in "
                    f"{np.count_nonzero(own != counts)} rows"
                )
                raise EventsError(msg)
            if target in LENGTHS:
                if place.unit is None:
                    msg = f"no unit is stated for {target}: give it (--map {target}={name}:mm)"
                    raise EventsError(msg)
                values = values.astype(np.float64) * scale_stated(target, place.unit, "length")
            found.append(values)
    return found


def _find_cells(
    plan: Plan, layout: Layout, detector: Calorimeter, ids: list[Array]
) -> tuple[IntArray, bool]:
    """Return the cells of hits, OUTSIDE where there is none, and whether a geometry placed them."""
    if "cells" not in plan.places and "cell_id" not in plan.places:
        if layout.cells is not None:
            msg = f"{layout.cells} maps numbers of cells: --map cell_id=COLUMN says where they are"
            raise EventsError(msg)
        return cells_at(detector, shifted(ids, layout.origin)), True
    if layout.cells is not None:
        return read_cell_table(layout.cells, detector, layout.origin).find(ids), True
    _refuse_origin(layout)
    if len(ids) != 1:
        msg = f"{len(ids)} columns number a cell: --cells FILE.csv says which of ours it is"
        raise EventsError(msg)
    cell = as_ids("cell_id", ids[0])
    return np.where((cell >= 0) & (cell < detector.n_cells), cell, OUTSIDE), False


def _refuse_origin(layout: Layout) -> None:
    if layout.origin is not None:
        msg = "--origin belongs to positions (--map x=…, or a CSV file of --cells with x, y, z)"
        raise EventsError(msg)


def _require_found(
    cell: IntArray, energies: Array, ids: list[Array], plan: Plan, detector: Calorimeter
) -> None:
    lost = cell == OUTSIDE
    if not np.any(lost):
        return
    total = float(np.sum(energies, dtype=np.float64)) or 1.0
    part = float(np.sum(energies[lost], dtype=np.float64)) / total
    counted = f"{lost.sum()} of {len(cell)} hits ({part:.2%} of the energy)"
    example = ", ".join(
        f"{values[lost][0]:.10g}" if values.dtype.kind == "f" else str(values[lost][0])
        for values in ids
    )
    if "cell_id" not in plan.places and "cells" not in plan.places:
        msg = f"{counted} lie in no cell, such as at ({example}) mm; {extent_text(detector)}"
    elif len(ids) == 1:
        msg = (
            f"cell_id goes from {ids[0].min()} to {ids[0].max()}, {detector.name} has the cells "
            f"0 to {detector.n_cells - 1}: {counted} have no cell, such as {example}; "
            "--cells FILE.csv maps other numbers"
        )
    else:
        msg = f"{counted} have no cell, such as cell_id {example}"
    raise EventsError(msg)
