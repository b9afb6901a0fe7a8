"""Tell how near the simulator comes: response, hottest cell, and the layers of the hybrid run."""

import sys
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

LAYERS, CELLS, BINS = 8, 10, 20
Floats = NDArray[np.float64]


class Sample(NamedTuple):
    """Energies (n, layers, x, y) in MeV, incident energies (n,) in MeV, and particles (n,)."""

    showers: Floats
    energy: Floats
    pdg: NDArray[np.int64]


def read(path: str) -> Sample:
    """Return what a file holds."""
    with h5py.File(path) as file:
        showers = file["showers"][:].reshape(-1, LAYERS, CELLS, CELLS).astype(float)
        energy = file["incident_energies"][:].ravel().astype(float)
        pdg = file["conditions/pdg"][:] if "conditions/pdg" in file else np.full(len(showers), 11)
        return Sample(showers, energy, pdg)


def error(values: Floats) -> float:
    """Return the error of a mean."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def hottest(showers: Floats) -> NDArray[np.int64]:
    """Return column and row of the hottest tower (n, 2)."""
    towers = showers.sum(axis=1).reshape(len(showers), -1)
    return np.column_stack(np.divmod(towers.argmax(axis=1), CELLS))


def tell(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")


def responses(full: Sample, fast: Sample) -> None:
    """Tell the ratio of mean responses for each particle; both samples are of the same ones."""
    for pdg, name in ((11, "e-"), (22, "gamma")):
        here = full.pdg == pdg
        true, found = ((s.showers.sum((1, 2, 3)) / s.energy)[here] for s in (full, fast))
        ratio, off = found.mean() / true.mean(), error(found - true) / true.mean()
        tell(f"{name}: response {ratio:.4f} of Geant4's, ± {off:.4f}")


def hottest_cells(full: Sample, fast: Sample) -> None:
    """Tell whether the hottest tower is where Geant4's is."""
    true, found = hottest(full.showers), hottest(fast.showers)
    for axis, name in enumerate("xy"):
        a, b = (np.bincount(place[:, axis], minlength=CELLS) for place in (true, found))
        square = float(((a - b) ** 2 / np.maximum(a + b, 1)).sum())
        tell(
            f"hottest cell along {name}: chi2 {square:.1f} for {CELLS} cells, "
            f"p {chi2.sf(square, CELLS):.2f}"
        )
        tell(f"  Geant4 {a}")
        tell(f"  fast   {b}")
    away = np.abs(true - found).max(axis=1)
    tell(
        f"hottest tower: Geant4's in {np.mean(away == 0):.1%}, "
        f"it or a neighbour in {np.mean(away <= 1):.1%}"
    )


def hottest_energies(full: Sample, fast: Sample) -> None:
    """Tell how the part of the energy that the hottest cell holds is distributed."""
    true, found = (s.showers.max((1, 2, 3)) / s.energy for s in (full, fast))
    edges = np.quantile(true, np.linspace(0, 1, BINS + 1)[1:-1])
    a, b = (np.bincount(np.searchsorted(edges, part), minlength=BINS) for part in (true, found))
    square = float(((a - b) ** 2 / np.maximum(a + b, 1)).sum())
    ratio, off = found.mean() / true.mean(), error(found - true) / true.mean()
    tell(
        f"hottest cell's part of the energy: mean {ratio:.4f} of Geant4's, ± {off:.4f}; "
        f"chi2 {square:.1f} for {BINS} bins, p {chi2.sf(square, BINS - 1):.2f}"
    )


def layers(full: Sample, hybrid: Sample) -> None:
    """Tell the ratio of mean energies of each layer; both samples are of the same particles."""
    for layer in range(LAYERS):
        true, found = (s.showers[:, layer].sum((1, 2)) for s in (full, hybrid))
        ratio, off = found.mean() / true.mean(), error(found - true) / true.mean()
        tell(f"hybrid, section {layer + 1}: {ratio:.4f} of full simulation, ± {off:.4f}")


if __name__ == "__main__":
    responses(read("test.h5"), read("fast.h5"))
    hottest_cells(read("test.h5"), read("fast.h5"))
    hottest_energies(read("test.h5"), read("fast.h5"))
    layers(read("full.h5"), read("hybrid.h5"))
