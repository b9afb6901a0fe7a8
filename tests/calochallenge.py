"""CaloChallenge's published layouts as detectors, and showers like the ones in its files."""

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import parse_detector
from simulacra.events import Events

RADII = {
    "1-photons": {
        0: ([0, 5, 10, 30, 50, 100, 200, 400, 600], 1),
        1: ([0, 2, 4, 6, 8, 10, 12, 15, 20, 30, 40, 50, 70, 90, 120, 150, 200], 10),
        2: (
            [0, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 130, 160, 200, 250, 300, 350, 400],
            10,
        ),
        3: ([0, 50, 100, 200, 400, 600], 1),
        12: ([0, 100, 200, 400, 1000, 2000], 1),
    },
    "1-pions": {
        0: ([0, 5, 10, 30, 50, 100, 200, 400, 600], 1),
        1: ([0, 1, 4, 7, 10, 15, 30, 50, 90, 150, 200], 10),
        2: ([0, 5, 10, 20, 30, 50, 80, 130, 200, 300, 400], 10),
        3: ([0, 50, 100, 200, 400, 600], 1),
        12: ([0, 10, 20, 30, 50, 80, 100, 130, 160, 200, 250, 300, 350, 400, 1000, 2000], 10),
        13: ([0, 10, 20, 30, 50, 80, 100, 130, 160, 200, 250, 300, 350, 400, 600, 1000, 2000], 10),
        14: ([0, 50, 100, 150, 200, 250, 300, 400, 600, 1000, 2000], 1),
    },
    "2": {i: ([4.65 * k for k in range(10)], 16) for i in range(45)},
}
"""Edges in mm and number of sectors by layer, as published (arXiv:2410.21611)."""


def layout(dataset):
    """The read-out of a dataset; what lies in between the layers does not matter here."""
    sections = [
        f"""
  - name: layer_{number}
    slabs: [{{material: G4_W, thickness: 3.4 mm, sensitive: true}}]
    readout: {{segmentation: {{kind: polar, alpha: {alpha}, r_edges: {edges}}}}}"""
        for number, (edges, alpha) in RADII[dataset].items()
    ]
    return parse_detector(
        f"""
kind: calorimeter
name: calochallenge-{dataset}
volume: {{kind: tube, radius: 2000 mm}}
axes: [eta, phi]
conditions: {{energy: {{role: log, unit: MeV}}}}
stack:{"".join(sections)}
"""
    )


def showers_like(dataset, n, seed=0, stretch=1.0):
    """Showers that look like the published ones: narrow, sparse, most energy in few voxels.

    Many voxels are hit alone in their ring, so that centres lie exactly on the edges of bins.
    """
    detector, rng = layout(dataset), np.random.default_rng(seed)
    if dataset.startswith("1"):
        energy = 2.0 ** rng.integers(8, 23, n)
    else:
        energy = 10 ** rng.uniform(3, 6, n)
    parts = []
    for depth, layer in enumerate(detector.layers):
        edges = np.asarray(layer.segmentation.r_edges)
        middle = np.tile((edges[1:] + edges[:-1]) / 2, layer.segmentation.alpha)
        falls = 2 * depth / len(detector.layers)
        share = np.exp(-6 * middle / (stretch * edges[-1]) - falls**2)
        cells = share * rng.gamma(0.3, 1.0, (n, len(middle)))
        parts.append(cells * (rng.random(cells.shape) < np.minimum(1, 0.1 + 3 * share)))
    showers = np.concatenate(parts, axis=1)
    response = rng.normal(0.98, 0.03, n)[:, None]
    showers *= energy[:, None] * response / np.maximum(showers.sum(axis=1, keepdims=True), 1e-9)
    return Events(Conditions({"energy": energy}), {"showers": showers}, detector)
