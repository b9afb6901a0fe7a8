"""Synthetic tracks: helices with Gaussian smearing and a toy energy loss, for tests of measurement.

Mechanics and statistics, not physics: the full chain has its own tests.
"""

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.helix import crossings, displaced, helix_of

SPECIES = (11, -11, 13, -13, 211, -211, 321, -321, 2212, -2212)
MASSES = {11: 0.511, 13: 105.66, 211: 139.57, 321: 493.68, 2212: 938.27}
FIELD = 0.5
RADII = np.concatenate(
    [
        first + pitch * (np.arange(rows) + 0.5)
        for first, pitch, rows in ((848, 7.5, 63), (1346, 10, 64), (1986, 15, 32))
    ]
)


def conditions(n=300, seed=1, momentum=(400.0, 10_000.0), eta=0.9, spot=0.05, points=None):
    """Columns of conditions; transverse momenta log-uniform, or some points in turn."""
    rng = np.random.default_rng(seed)
    drawn = np.exp(rng.uniform(*np.log(momentum), n))
    return {
        "pdg": rng.choice(SPECIES, n),
        "transverse_momentum": drawn if points is None else np.resize(points, n).astype(float),
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


def path(columns):
    """Length in each row (n, 159), mm: the pitch over the cosines, which a curler's apex limits."""
    helix = helix_of(columns, SPECIES, FIELD)
    ideal = crossings(helix, RADII)
    direction = helix.phi[:, None] + ideal.angle
    steep = (ideal.x * np.cos(direction) + ideal.y * np.sin(direction)) / RADII
    slope = np.cosh(columns["pseudorapidity"])[:, None]
    return np.repeat([7.5, 10.0, 15.0], [63, 64, 32]) * slope / np.maximum(steep, 0.25)


def tracks(n=300, seed=1, smearing=(0.6, 0.8), **options):
    """Events of ``alice-tpc``: smeared helices, one row in fifty missing, a toy energy loss.

    The charge in a row is the path times 1 / beta^2 (with the proton's mass for protons, and so
    on), times a log-normal fluctuation.
    """
    detector = load_detector("alice-tpc")
    columns = conditions(n, seed=seed, **options)
    _, points, present = clusters_of(columns, smearing, seed + 1)
    rng = np.random.default_rng(seed + 2)
    present &= rng.random(present.shape) > 0.02
    momentum = columns["transverse_momentum"] * np.cosh(columns["pseudorapidity"])
    mass = np.array([MASSES[abs(code)] for code in columns["pdg"]])
    loss = 1 + (mass / momentum) ** 2
    q = 10 * loss[:, None] * np.exp(0.3 * rng.standard_normal(present.shape)) * path(columns)
    q_max = q * rng.uniform(0.2, 0.4, q.shape)
    clusters = np.concatenate([points, np.stack([q, q_max], axis=-1)], axis=-1)
    clusters = np.where(present[..., None], clusters, 0.0).astype(np.float32)
    response = {"clusters": clusters, "cluster_mask": present.astype(np.uint8)}
    columns = {name: column.astype(np.float32) for name, column in columns.items()}
    columns["pdg"] = columns["pdg"].astype(np.int32)
    return Events(Conditions(columns), response, detector)


def changed(events, clusters=None, mask=None):
    """The same events with other clusters or another mask; missing rows are zeros."""
    clusters = events["clusters"] if clusters is None else clusters
    mask = events["cluster_mask"] if mask is None else mask
    clusters = np.where(mask[..., None] > 0, clusters, 0.0).astype(np.float32)
    response = {"clusters": clusters, "cluster_mask": mask.astype(np.uint8)}
    return Events(events.conditions, response, events.detector)
