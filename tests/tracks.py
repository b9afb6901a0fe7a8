"""Synthetic tracks: helices with Gaussian smearing and a toy energy loss, for tests of measurement.

Mechanics and statistics, not physics: the full chain has its own tests.
"""

import numpy as np

from simulacra.helix import crossings, displaced, helix_of

SPECIES = (11, -11, 13, -13, 211, -211, 321, -321, 2212, -2212)
FIELD = 0.5
RADII = np.concatenate(
    [
        first + pitch * (np.arange(rows) + 0.5)
        for first, pitch, rows in ((848, 7.5, 63), (1346, 10, 64), (1986, 15, 32))
    ]
)


def conditions(n=300, seed=1, momentum=(400.0, 10_000.0), eta=0.9, spot=0.05):
    rng = np.random.default_rng(seed)
    return {
        "pdg": rng.choice(SPECIES, n),
        "transverse_momentum": np.exp(rng.uniform(*np.log(momentum), n)),
        "pseudorapidity": rng.uniform(-eta, eta, n),
        "phi": rng.uniform(-np.pi, np.pi, n),
        "vertex_x": rng.normal(0, spot, n),
        "vertex_y": rng.normal(0, spot, n),
        "vertex_z": rng.normal(0, 50, n),
    }


def clusters_of(columns, smearing=(0.0, 0.0), seed=2, drift=2500.0):
    """Positions (n, 159, 3) and presence (n, 159) of helices smeared in r phi and z, mm."""
    helix = helix_of(columns, SPECIES, FIELD)
    ideal = crossings(helix, RADII)
    rng = np.random.default_rng(seed)
    r_phi, z = (sigma * rng.standard_normal(ideal.x.shape) for sigma in smearing)
    points = displaced(ideal, r_phi, z)
    present = ideal.reached & (np.abs(points[..., 2]) < drift)
    return helix, np.where(present[..., None], points, 0.0), present
