"""Write ROOT files as other people's Geant4 programs write them, with showers of a toy model.

``hits.root``        one row a hit: event, their number of the cell, energies in GeV;
``showers.root``     one row a shower: the hits as vectors, energies in GeV;
``two_trees.root``   ``ntuple/hits`` and ``ntuple/truth``, joined by the event number; MeV and GeV;
``cells.csv``        their number of a cell, and the position of its middle.

The numbers of cells are bit fields: 8 bits for the layer, 8 for x and 8 for y, above a detector's
number.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import awkward
import numpy as np
import uproot
from numpy.typing import NDArray
from scipy.special import gammainc

LAYERS, SIDE, CELL = 6, 5, 40.0  # cells of 40 mm
DEPTH, SCALE = 64.0, 38.0  # of a layer, and of a shower, mm
RESPONSE, NOISE = 0.12, 0.05  # visible part of the energy; relative fluctuation at 1 GeV
DETECTOR = 7 << 32


def numbers() -> NDArray[np.uint64]:
    """Return their numbers of all cells, layer after layer, x slower than y."""
    layer, x, y = np.meshgrid(*map(np.arange, (LAYERS, SIDE, SIDE)), indexing="ij")
    return (DETECTOR + (layer << 16) + (x << 8) + y).ravel().astype(np.uint64)


def positions() -> NDArray[np.float64]:
    """Return the middle of each cell (cells, 3), mm from the middle of the stack."""
    across = (np.arange(SIDE) - (SIDE - 1) / 2) * CELL
    along = (np.arange(LAYERS) + 0.5 - LAYERS / 2) * DEPTH
    z, x, y = np.meshgrid(along, across, across, indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)


def showers(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energies (n,) of 2 to 20 GeV, log-uniform, and visible energies of cells, in GeV."""
    rng = np.random.default_rng(seed)
    energy = np.exp(rng.uniform(np.log(2), np.log(20), n))
    depth = 1.8 + 0.5 * np.log(energy) + rng.normal(0, 0.2, n)
    edges = np.arange(LAYERS + 1) * DEPTH / SCALE
    layers = np.diff(gammainc(depth[:, None], edges), axis=1)
    x, y = positions()[: SIDE * SIDE, :2].T
    width = np.linspace(14, 30, LAYERS)
    lateral = np.exp(-np.hypot(x, y) / width[:, None])
    lateral /= lateral.sum(axis=1, keepdims=True)
    mean = (layers[:, :, None] * lateral).reshape(n, -1) * energy[:, None]
    quanta = rng.poisson(mean / NOISE**2)  # so that the resolution falls as one over the root
    return energy, quanta * RESPONSE * NOISE**2


def hits(
    cells: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.float64]]:
    """Return of each hit its event, their number of its cell, and its energy."""
    event, cell = np.nonzero(cells)
    return event, numbers()[cell], cells[event, cell]


def write_hits(path: Path, n: int, seed: int) -> None:
    """Write one row a hit; what belongs to the event is repeated in each of its rows."""
    energy, cells = showers(n, seed)
    event, cell, deposit = hits(cells)
    columns = {
        "event": event.astype("i4"),
        "cellID": cell,
        "edep": deposit.astype("f4"),
        "Ebeam": energy[event],
    }
    with uproot.recreate(path) as file:
        file.mktree("tree", {name: values.dtype for name, values in columns.items()}).extend(
            columns
        )


def write_showers(path: Path, n: int, seed: int) -> None:
    """Write one row a shower, with lists of its hits."""
    energy, cells = showers(n, seed)
    event, cell, deposit = hits(cells)
    counts = np.bincount(event, minlength=n)
    columns = {
        "event": np.arange(n, dtype="i4"),
        "Ebeam": energy,
        "cellID": awkward.unflatten(cell, counts),
        "edep": awkward.unflatten(deposit.astype("f4"), counts),
    }
    types = {"event": "i4", "Ebeam": "f8", "cellID": "var * uint64", "edep": "var * float32"}
    with uproot.recreate(path) as file:
        file.mktree("tree", types).extend(columns)


def write_two_trees(path: Path, n: int, seed: int) -> None:
    """Write hits and particles into two trees; one event has no hits, and threads mix the rows."""
    energy, cells = showers(n, seed)
    cells[n // 2] = 0
    event, cell, deposit = hits(cells)
    mixed = np.random.default_rng(seed).permutation(len(event))
    trees = {
        "ntuple/hits": {
            "eventID": event[mixed].astype("i4"),
            "cellID": cell[mixed],
            "edep": 1000 * deposit[mixed],
        },
        "ntuple/truth": {"eventID": np.arange(n, dtype="i4"), "Ebeam": energy},
    }
    with uproot.recreate(path) as file:
        for name, columns in trees.items():
            types = {column: values.dtype for column, values in columns.items()}
            file.mktree(name, types).extend(columns)


def write_cells(path: Path) -> None:
    """Write where the middle of each of their cells lies, in their own coordinates."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["cellID", "x [mm]", "y [mm]", "z [mm]"])
        table.writerows([number, *xyz] for number, xyz in zip(numbers(), positions(), strict=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=4000, help="in each file")
    events = parser.parse_args().events
    write_hits(Path("hits.root"), events, seed=1)
    write_showers(Path("showers.root"), events, seed=2)
    write_two_trees(Path("two_trees.root"), events, seed=3)
    write_cells(Path("cells.csv"))
