"""Longitudinal maximum and lateral containment of showers in slices and rings."""

from __future__ import annotations

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import gammainc

from simulacra.arrays import FloatArray
from simulacra.events import Events

SAMPLES = 20
NAMES = ("maximum_mm", "radius90_mm", "response", "width")


def cells_of(events: Events) -> FloatArray:
    """Return energies (n, slices, rings), MeV."""
    shape = len(events), len(events.detector.layers), -1
    cells: FloatArray = events["showers"].reshape(shape).astype(np.float64)
    return cells


def maximum_of(profile: FloatArray, edges: FloatArray) -> float:
    """Return the depth (mm) of the maximum of the Γ profile that fits a mean profile best."""

    def fractions(_: FloatArray, scale: float, alpha: float, beta: float) -> FloatArray:
        return scale * np.diff(gammainc(alpha, beta * edges))

    top = float(edges[profile.argmax() + 1])
    start = (profile.sum(), 4.0, 3.0 / top)
    (_, alpha, beta), _ = curve_fit(fractions, edges[1:], profile, start, maxfev=10_000)
    return float((alpha - 1) / beta)


def radius_of(rings: FloatArray, edges: FloatArray, part: float = 0.9) -> float:
    """Return the radius (mm) that holds a part of the energy within the rings."""
    inside = np.concatenate([[0.0], np.cumsum(rings)]) / rings.sum()
    return float(np.interp(part, inside, edges))


def summary(events: Events) -> dict[str, tuple[float, float]]:
    """Return the numbers of :data:`NAMES`, each with its error from resampled events."""
    cells, detector = cells_of(events), events.detector
    slices = np.linspace(0, detector.depth, len(detector.layers) + 1)
    rings = np.asarray(detector.layers[0].segmentation.r_edges)
    incident = float(events["energy"][0])

    def numbers(chosen: FloatArray) -> tuple[float, ...]:
        mean, total = chosen.mean(axis=0), chosen.sum(axis=(1, 2)) / incident
        longest = maximum_of(mean.sum(axis=1), slices)
        return longest, radius_of(mean.sum(axis=0), rings), total.mean(), total.std()

    rng = np.random.default_rng(1)
    drawn = [numbers(cells[rng.integers(0, len(cells), len(cells))]) for _ in range(SAMPLES)]
    errors = np.std(drawn, axis=0).tolist()
    found = zip(NAMES, map(float, numbers(cells)), errors, strict=True)
    return {name: (value, error) for name, value, error in found}
