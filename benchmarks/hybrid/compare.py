"""Set a hybrid run beside the same events in full simulation.

    python benchmarks/hybrid/compare.py FULL.h5 HYBRID.h5

Both come from one card: FULL with ``--set 'rules=[]'``. Prints the mean energy of each layer with
paired errors, the energy audit, and whether particles that no simulator answers for have the same
hits bit by bit.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from simulacra.detectors import Calorimeter
from simulacra.hybrid import HybridEvents, read_hybrid
from simulacra.particles import particle_name

CONSOLE = Console(width=110)
FloatArray = NDArray[np.float64]


def by_layer(showers: NDArray[np.float32], detector: Calorimeter) -> FloatArray:
    """Return the energy of each layer (n, layers) of showers (n, cells), MeV."""
    cells = (showers[:, layer.cells] for layer in detector.layers)
    return np.stack([part.sum(axis=1, dtype=np.float64) for part in cells], axis=1)


def by_primary(events: HybridEvents) -> FloatArray:
    """Return the energy of each layer of the first region by primary (primaries, layers), MeV.

    Where the region reads out a window, only its cells count; events are of one primary then.
    """
    name, read = next(iter(events.regions.items()))
    layers = read.detector.layers
    if events.provenance["card"]["regions"][name]["readout"] == "window":
        return by_layer(read["showers"], read.detector)
    ends = [layer.cells.stop for layer in layers]
    layer = np.searchsorted(ends, events.hits.cell, side="right")
    energy = np.zeros((len(events.primaries), len(layers)))
    np.add.at(energy, (events.hits.primary, layer), events.hits.energy)
    return energy


def compare_means(full: HybridEvents, fast: HybridEvents) -> None:
    """Print the mean energy per event of each layer, for each kind of primary and for all."""
    names = [layer.name for layer in next(iter(full.regions.values())).detector.layers]
    table = Table("primary", "layer", "full, MeV", "hybrid, MeV", "ratio", "pull")
    energies = [by_primary(events) for events in (full, fast)]
    kinds = [*np.unique(full.primaries.pdg).tolist(), None]
    for kind in kinds if len(kinds) > 2 else [None]:
        label = "all" if kind is None else particle_name(kind)
        sums = [by_event(e, v, kind) for e, v in zip((full, fast), energies, strict=True)]
        for column, name in enumerate([*names, "total"]):
            a, b = (s.sum(axis=1) if name == "total" else s[:, column] for s in sums)
            table.add_row(label, name, *ratio(a, b))
    CONSOLE.print(table)


def by_event(events: HybridEvents, energies: FloatArray, pdg: int | None) -> FloatArray:
    """Return the energies (primaries, layers) of one kind of primary summed by event."""
    rows = np.ones(len(energies), bool) if pdg is None else events.primaries.pdg == pdg
    sums = np.zeros((len(events), energies.shape[1]))
    np.add.at(sums, events.primaries.event[rows], energies[rows])
    return sums


def ratio(full: FloatArray, fast: FloatArray) -> tuple[str, ...]:
    """Return both means and their ratio with its error, as texts.

    Both have the same primaries event by event, so what counts is the scatter of b - R a of the
    events: their energies, which differ most, drop out.
    """
    n = np.sqrt(len(full))
    (a, da), (b, db) = ((v.mean(), v.std() / n) for v in (full, fast))
    if np.array_equal(full, fast):
        return f"{a:.1f}", f"{b:.1f}", "equal", ""
    error = (fast - b / a * full).std() / n / a
    return (
        f"{a:.1f} ± {da:.1f}",
        f"{b:.1f} ± {db:.1f}",
        f"{b / a:.4f} ± {error:.4f}",
        f"{(b / a - 1) / error:+.2f}",
    )


def compare_hits(full: HybridEvents, fast: HybridEvents) -> None:
    """Print, for each kind of primary, how many have the same hits in both, bit by bit."""
    gone = np.unique(fast.requests.primary[fast.requests.handed_over])
    table = Table("primary", "number", "a particle of it handed over", "hits equal, bit by bit")
    for pdg in np.unique(full.primaries.pdg).tolist():
        rows = np.flatnonzero(full.primaries.pdg == pdg)
        equal = sum(same_hits(full, fast, row) for row in rows)
        table.add_row(
            particle_name(pdg), str(len(rows)), str(np.isin(rows, gone).sum()), str(equal)
        )
    CONSOLE.print(table)


def same_hits(full: HybridEvents, fast: HybridEvents, row: int) -> bool:
    """Return whether a primary has the same hits in both."""
    spans = (slice(*np.searchsorted(e.hits.primary, [row, row + 1])) for e in (full, fast))
    first, second = (
        np.array([h.origin[s], h.region[s], h.cell[s], h.energy[s]])
        for h, s in zip((full.hits, fast.hits), spans, strict=True)
    )
    return np.array_equal(first, second)


def main() -> None:
    """Compare two files."""
    full, fast = (read_hybrid(path) for path in sys.argv[1:3])
    if not np.array_equal(full.primaries.energy, fast.primaries.energy):
        sys.exit("the two files do not begin with the same particles")
    compare_means(full, fast)
    compare_hits(full, fast)
    for name, events in (("full", full), ("hybrid", fast)):
        a = events.audit
        shares = (part.sum() / a.brought.sum() for part in (a.deposited, a.escaped, a.handed_over))
        text = "deposited {:.2%}, escaped {:.2%}, handed over {:.2%}".format(*shares)
        CONSOLE.print(f"{name}: {text}; largest imbalance of an event {a.largest_imbalance:.1e}")
    for count in fast.rule_counts():
        CONSOLE.print(count)


if __name__ == "__main__":
    main()
