"""ROOT: trees with the energies of cells, read and written by uproot (no ROOT needed).

Branches: ``energy`` (MeV) and the detector's other conditions by their names; the cells (MeV)
either all of them, ``cells[n]``, or the hit ones alone, ``cell_id`` (place in the flat response,
from 0) and ``cell_energy``. A file that was written here also carries its detector and provenance.
Other branches are mapped (:mod:`simulacra.io.mapped.mapping`), or known for the program that wrote
them (:mod:`simulacra.io.mapped.conventions`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.arrays import Array
from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.calorimeter.impacts import (
    IMPACTS,
    POSITIONS,
    impacts_of,
    require_positions,
    why_offsets,
)
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.files.atomic import whole_file
from simulacra.files.small_files import parse_object
from simulacra.io.datasets import starts_with
from simulacra.io.foreign import carried_detector, named_or, require_calorimeter
from simulacra.io.mapped.assemble import assemble
from simulacra.io.mapped.conventions import conventional
from simulacra.io.mapped.mapping import Layout
from simulacra.io.mapped.plan import plan_events
from simulacra.io.mapped.rows import count_events
from simulacra.io.mapped.tables import describe, listed
from simulacra.io.root_tables import (
    RootTable,
    UprootObject,
    chosen_tables,
    names_of,
    opened_root,
    require_uproot,
    tables_of,
)
from simulacra.io.writing import require_number

KIND = "root"
TREE = "events"
DENSE_CELLS = 1000
"""Up to so many cells all are written; above, the hit ones, which are few."""
DEFAULT = Layout()
ROWS = 2048
"""Events of a basket."""


def is_root(path: Path) -> bool:
    """Return whether the file is a ROOT file."""
    return starts_with(path, b"root")


def read_root(
    path: Path, detector: Detector | None, rows: slice, layout: Layout = DEFAULT
) -> Events:
    """Read events from the trees of a file.

    Args:
        path: the file.
        detector: the detector, where the file does not carry it; otherwise they must agree.
        rows: which events.
        layout: which trees and branches hold what; without it the tree ``events``, or the only
            one, and the names above.

    Raises:
        EventsError: no tree has such branches, the cells are not the detector's, or in a file of
            others energies or the order of cells make no sense.
        MissingDependencyError: uproot is not installed.

    Warns:
        UserWarning: a unit was concluded from the energies, or branches are left out.
    """
    with opened_root(path) as file:
        text = _text(file, "detector")
        tables, layout, calorimeter = _understood(file, layout, detector, text)
        # what was written here may be of particles that leave next to nothing
        believed = text is not None and layout.is_default
        said = _text(file, IMPACTS)
        if believed and why_offsets(said, calorimeter):
            every = assemble(tables, layout, calorimeter, slice(None), believed)
            require_positions(said, calorimeter, every.conditions.columns)
        events = assemble(tables, layout, calorimeter, rows, believed)
        origin = dict(events.provenance)
        converted = {"format": KIND, "file": path.name, **origin["converted_from"]}
        facts = {**origin, "converted_from": converted}
        if believed and (made := _text(file, "provenance")) is not None:
            facts = parse_object(made)
        return Events(events.conditions, events.response, events.detector, facts)


def count_root(path: Path, layout: Layout = DEFAULT) -> int:
    """Return the number of events in the file's trees."""
    with opened_root(path) as file:
        tables, layout = _conventional(file, layout)[:2]
        if len(tables) == 1 and layout.is_default:
            table = next(iter(tables.values()))
            if "event" not in table.columns:  # rows are events
                return len(table)
        return count_events(plan_events(tables, layout, None), layout)


def _text(file: UprootObject, name: str) -> str | None:
    """Return a text that the file carries."""
    return str(file[name]) if name in names_of(file, "TObjString") else None


def _understood(
    file: UprootObject, layout: Layout, detector: Detector | None, text: str | None
) -> tuple[dict[str, RootTable], Layout, Calorimeter]:
    """Return the trees to look into, what they hold, and the detector."""
    tables, full, usual = _conventional(file, layout)
    if detector is None and text is None and usual:
        return tables, full, named_or(None, usual, KIND)
    return tables, full, require_calorimeter(carried_detector(text, detector), KIND)


def _conventional(file: UprootObject, layout: Layout) -> tuple[dict[str, RootTable], Layout, str]:
    every = tables_of(file)
    if layout.trees:
        every = chosen_tables(every, layout.trees)
    full, usual = conventional(every, layout)
    if full.kind and full.trees:
        every = chosen_tables(every, full.trees)
    elif not layout.trees and not layout.sources:
        every = _only_table(every)
    return every, full, usual


def _only_table(tables: dict[str, RootTable]) -> dict[str, RootTable]:
    """Return the tree ``events``, or else the only one."""
    name = TREE if TREE in tables else next(iter(tables), "")
    if not tables or (name != TREE and len(tables) > 1):
        msg = f"no tree {TREE!r}; there are {listed(tables) if tables else 'no trees'}"
        if tables:
            msg += f": --tree and --map say which branches hold what ({describe(tables)})"
        raise EventsError(msg)
    return {name: tables[name]}


def write_root(pieces: Iterable[Events], n: int, path: Path) -> None:
    """Write a tree ``events``, the detector and the provenance.

    Args:
        pieces: the events, in one piece or more; each becomes baskets of at most :data:`ROWS` rows.
        n: their number.
        path: the file.

    Raises:
        MissingDependencyError: uproot is not installed.
    """
    uproot, _ = require_uproot()
    written, tree = 0, None
    with whole_file(path) as part, uproot.recreate(part) as file:
        for events in pieces:
            if tree is None:
                if impacts_of(events.detector) == POSITIONS:  # earlier: offsets
                    file[IMPACTS] = POSITIONS
                file["detector"] = require_calorimeter(events.detector, KIND).to_yaml()
                file["provenance"] = json.dumps(dict(events.provenance), sort_keys=True)
                types = {name: _type(column) for name, column in _branches(events).items()}
                tree = file.mktree(TREE, types, title="energies in MeV")
            for first in range(0, len(events), ROWS):
                tree.extend(_branches(events.take(slice(first, first + ROWS))))
            written += len(events)
        require_number(written, n)


def _branches(events: Events) -> dict[str, Any]:
    _, awkward = require_uproot()
    columns: dict[str, Any] = {
        name: _writable(column) for name, column in events.conditions.columns.items()
    }
    cells = _writable(events["showers"])
    if cells.shape[1] <= DENSE_CELLS:
        columns["cells"] = cells
    else:
        event, index = np.nonzero(cells)
        counts = np.bincount(event, minlength=len(cells))
        hits = {"id": index.astype(np.int32), "energy": cells[event, index]}
        jagged = {name: awkward.unflatten(flat, counts) for name, flat in hits.items()}
        columns["cell"] = awkward.zip(jagged)
    return columns


def _type(column: Any) -> Any:  # noqa: ANN401 - NumPy's or awkward's
    if isinstance(column, np.ndarray):
        return np.dtype((column.dtype, column.shape[1:]))
    return column.type.content


def _writable(array: Array) -> Array:
    """Return an array of a type that branches have: half precision becomes single precision."""
    kinds = {np.dtype(np.float16): np.float32, np.dtype(np.longdouble): np.float64}
    return array.astype(kinds.get(array.dtype, array.dtype), copy=False)
