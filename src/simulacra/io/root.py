"""ROOT: a TTree with the energies of cells, read and written by uproot (no ROOT needed).

Branches: ``energy`` (MeV) and the detector's other conditions by their names; the cells (MeV)
either all of them, ``cells[n]``, or the hit ones alone, ``cell_id`` (place in the flat response,
from 0) and ``cell_energy``. A file that was written here also carries its detector and provenance.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.arrays import Array
from simulacra.atomic import whole_file
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import EventsError, MissingDependencyError, SimulacraError
from simulacra.events import Events
from simulacra.io.datasets import range_of, require_memory, starts_with
from simulacra.io.foreign import (
    carried_detector,
    require_calorimeter,
    require_conditions,
    require_shape,
)
from simulacra.io.plausibility import require_closure
from simulacra.io.voxel_order import require_order

UprootObject = Any  # uproot carries no types
KIND = "root"
TREE = "events"
DENSE_CELLS = 1000
"""Up to so many cells all are written; above, the hit ones, which are few."""


def is_root(path: Path) -> bool:
    """Return whether the file is a ROOT file."""
    return starts_with(path, b"root")


def _uproot() -> tuple[Any, Any]:
    try:
        import awkward
        import uproot
    except ImportError:
        msg = "ROOT files need uproot: pip install 'simulacra[root]'"
        raise MissingDependencyError(msg) from None
    return uproot, awkward


@contextmanager
def _opened(path: Path) -> Iterator[UprootObject]:
    uproot, _ = _uproot()
    damage = (OSError, LookupError, ValueError, RuntimeError, zlib.error)
    try:
        with uproot.open({path: None}) as file:
            if path.stat().st_size < file.file.fEND:
                msg = f"truncated: {path.stat().st_size} bytes of {file.file.fEND}"
                raise EventsError(msg)
            yield file
    except MissingDependencyError:
        raise
    except SimulacraError as error:
        msg = f"{path}: {error}"
        raise EventsError(msg) from None
    except (*damage, uproot.deserialization.DeserializationError) as error:
        reason = " ".join(str(error).split())
        msg = f"{path}: not a readable ROOT file (truncated or damaged?): {reason}"
        raise EventsError(msg) from None


def read_root(path: Path, detector: Detector | None, rows: slice) -> Events:
    """Read events from the tree ``events``, or from the file's only tree.

    Raises:
        EventsError: no tree has such branches, the cells are not the detector's, or in a file of
            others energies or the order of cells make no sense.
        MissingDependencyError: uproot is not installed.
    """
    with _opened(path) as file:
        texts = _names(file, "TObjString")
        text = str(file["detector"]) if "detector" in texts else None
        calorimeter = require_calorimeter(carried_detector(text, detector), KIND)
        tree = file[_tree_name(_names(file, "TTree"))]
        rows = range_of(rows, int(tree.num_entries))
        require_memory((rows.stop - rows.start) * calorimeter.n_cells * 4)
        columns = {
            name: _branch(tree, name, rows) for name in calorimeter.conditions if name in tree
        }
        require_conditions(calorimeter, columns)
        cells = _cells(tree, calorimeter, rows)
        if text is None:  # what was written here may be of particles that leave next to nothing
            require_closure(columns["energy"], cells)
            require_order(cells, calorimeter)
        facts = {"converted_from": {"format": KIND, "file": path.name}}
        if "provenance" in texts:
            facts = json.loads(str(file["provenance"]))
        return Events(Conditions(columns), {"showers": cells}, calorimeter, facts)


def count_root(path: Path) -> int:
    """Return the number of events in the tree."""
    with _opened(path) as file:
        return int(file[_tree_name(_names(file, "TTree"))].num_entries)


def _names(file: UprootObject, kind: str) -> list[str]:
    """Return the names of a file's objects of a kind."""
    return [name.split(";")[0] for name, found in file.classnames().items() if found == kind]


def _tree_name(trees: list[str]) -> str:
    if TREE in trees:
        return TREE
    if len(trees) != 1:
        msg = f"no tree {TREE!r}; there are {', '.join(trees) or 'no trees'}"
        raise EventsError(msg)
    return trees[0]


def _branch(tree: UprootObject, name: str, rows: slice) -> Array:
    array: Array = tree[name].array(library="np", entry_start=rows.start, entry_stop=rows.stop)
    if array.dtype.kind not in "biuf":
        msg = f"the branch {name} does not hold one number, or one array of equal length, an event"
        raise EventsError(msg)
    return array


def _cells(tree: UprootObject, detector: Calorimeter, rows: slice) -> Array:
    if "cells" in tree:
        cells = _branch(tree, "cells", rows)
        require_shape("cells", cells, (detector.n_cells,), detector)
        return cells
    if not {"cell_id", "cell_energy"} <= set(tree.keys()):
        msg = "the tree has neither a branch 'cells' nor 'cell_id' and 'cell_energy'"
        raise EventsError(msg)
    _, awkward = _uproot()
    limits = {"entry_start": rows.start, "entry_stop": rows.stop}
    ids, energies = (tree[name].array(**limits) for name in ("cell_id", "cell_energy"))
    counts = awkward.to_numpy(awkward.num(ids))
    if not np.array_equal(counts, awkward.to_numpy(awkward.num(energies))):
        msg = "cell_id and cell_energy have different lengths"
        raise EventsError(msg)
    index = awkward.to_numpy(awkward.flatten(ids)).astype(np.int64)
    if index.size and not (index.min() >= 0 and index.max() < detector.n_cells):
        msg = (
            f"cell_id goes from {index.min()} to {index.max()}, {detector.name} has the cells "
            f"0 to {detector.n_cells - 1}"
        )
        raise EventsError(msg)
    deposits = awkward.to_numpy(awkward.flatten(energies))
    dense = np.zeros((len(counts), detector.n_cells), deposits.dtype)
    # several deposits in one cell are its energy together
    np.add.at(dense, (np.repeat(np.arange(len(counts)), counts), index), deposits)
    return dense


def write_root(events: Events, path: Path) -> None:
    """Write a tree ``events``, the detector and the provenance.

    Raises:
        MissingDependencyError: uproot is not installed.
    """
    uproot, awkward = _uproot()
    detector = require_calorimeter(events.detector, KIND)
    columns: dict[str, Any] = dict(events.conditions.columns)
    cells = events["showers"]
    if detector.n_cells <= DENSE_CELLS:
        columns["cells"] = cells
    else:
        event, index = np.nonzero(cells)
        counts = np.bincount(event, minlength=len(cells))
        hits = {"id": index.astype(np.int32), "energy": cells[event, index]}
        jagged = {name: awkward.unflatten(flat, counts) for name, flat in hits.items()}
        columns["cell"] = awkward.zip(jagged)
    with whole_file(path) as part, uproot.recreate(part) as file:
        file["detector"] = detector.to_yaml()
        file["provenance"] = json.dumps(dict(events.provenance), sort_keys=True)
        types = {
            name: column.type.content
            if isinstance(column, awkward.Array)
            else np.dtype((column.dtype, column.shape[1:]))
            for name, column in columns.items()
        }
        tree = file.mktree(TREE, types, title="energies in MeV")
        if len(events):
            tree.extend(columns)
