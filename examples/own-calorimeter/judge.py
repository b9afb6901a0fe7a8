"""Print how near the simulator comes: response, hottest cell, and the layers of the hybrid run."""

import h5py
import numpy as np
from scipy.stats import chi2

LAYERS, CELLS = 8, 10


def read(path):
    """Return energies (n, layers, x, y) in MeV, incident energies and particles of a file."""
    with h5py.File(path) as file:
        showers = file["showers"][:].reshape(-1, LAYERS, CELLS, CELLS).astype(float)
        pdg = file["conditions/pdg"][:] if "conditions/pdg" in file else np.full(len(showers), 11)
        return showers, file["incident_energies"][:].ravel(), pdg


def mean(values):
    """Return a mean and its error."""
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


def hottest(showers):
    """Return the column and the row of the hottest tower (n, 2)."""
    towers = showers.sum(axis=1).reshape(len(showers), -1)
    return np.column_stack(np.divmod(towers.argmax(axis=1), CELLS))


full, fast = read("test.h5"), read("fast.h5")
for pdg, name in ((11, "e-"), (22, "gamma")):
    responses = [(s.sum((1, 2, 3)) / e)[p == pdg] for s, e, p in (full, fast)]
    (true, error), (found, other) = map(mean, responses)
    away = mean(responses[1] - responses[0])[1] / true
    print(f"{name}: response {found / true:.4f} of Geant4's, ± {away:.4f} (the same particles)")
places = hottest(full[0]), hottest(fast[0])
for axis, name in enumerate("xy"):
    a, b = (np.bincount(place[:, axis], minlength=CELLS) for place in places)
    both = a + b
    square = float(((a - b) ** 2 / np.maximum(both, 1)).sum())
    print(
        f"hottest cell along {name}: chi2 {square:.1f} for {CELLS} cells, p {chi2.sf(square, CELLS):.2f}"
    )
    print("   Geant4", *a)
    print("   fast  ", *b)
same = (np.abs(places[0] - places[1]).max(axis=1) == 0).mean()
near = (np.abs(places[0] - places[1]).max(axis=1) <= 1).mean()
print(f"hottest tower: the same as Geant4's in {same:.1%}, it or a neighbour in {near:.1%}")
hybrid, whole = read("hybrid.h5"), read("full.h5")
for layer in range(LAYERS):
    one, other = (s[:, layer].sum((1, 2)) for s, _, _ in (hybrid, whole))
    off, error = mean(one - other)
    print(
        f"hybrid, section {layer + 1}: {one.mean() / other.mean():.4f} of full, ± {error / other.mean():.4f}"
    )
