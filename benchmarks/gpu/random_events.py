"""Random events of any detector, for timings and smoke tests: mechanics, not physics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.particles import ParticleMixture

DEFAULT = {"energy": "1GeV..10GeV", "particle": ""}


def random_events(
    detector: str, n: int, seed: int = 0, sample: Mapping[str, str] = DEFAULT
) -> Events:
    """Return events with random cells, or with random clusters in most pad rows."""
    known = load_detector(detector)
    rng = np.random.default_rng(seed)
    particles = ParticleMixture.parse(sample["particle"]) if sample["particle"] else None
    spectrum = EnergySpectrum.parse(sample["energy"])
    conditions = draw_conditions(known, spectrum, n, rng, particles)
    arrays = known.response_arrays
    if "showers" in arrays:
        cells = rng.exponential(1.0, (n, *arrays["showers"].shape))
        cells *= (0.5 * conditions["energy"] / cells.sum(axis=1))[:, None]
        return Events(conditions, {"showers": cells.astype(np.float32)}, known)
    mask = (rng.random((n, *arrays["cluster_mask"].shape)) < 0.9).astype(np.uint8)
    clusters = rng.normal(0, 1000, (n, *arrays["clusters"].shape)) * mask[:, :, None]
    clusters[..., 3:] = np.abs(clusters[..., 3:])
    response = {"clusters": clusters.astype(np.float32), "cluster_mask": mask}
    return Events(conditions, response, known)
