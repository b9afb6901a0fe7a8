"""Longitudinal maximum and lateral containment of showers in slices and rings."""

from __future__ import annotations

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import gammainc

from simulacra.events import Events

SAMPLES = 20


def cells_of(events: Events) -> np.ndarray:
    """Return energies (n, slices, rings), MeV."""
    layers = events.detector.layers
    return events["showers"].reshape(len(events), len(layers), -1).astype(np.float64)


def maximum_of(profile: np.ndarray, edges: np.ndarray) -> float:
    """Return the depth (mm) of the maximum of the Γ profile that fits a mean profile best."""

    def fractions(z, scale, alpha, beta):
        del z
        return scale * np.diff(gammainc(alpha, beta * edges))

    top = float(edges[profile.argmax() + 1])
    start = (profile.sum(), 4.0, 3.0 / top)
    (_, alpha, beta), _ = curve_fit(fractions, edges[1:], profile, start, maxfev=10_000)
    return float((alpha - 1) / beta)


def radius_of(rings: np.ndarray, edges: np.ndarray, part: float = 0.9) -> float:
    """Return the radius (mm) that holds a part of the energy within the rings."""
    inside = np.concatenate([[0.0], np.cumsum(rings)]) / rings.sum()
    return float(np.interp(part, inside, edges))


def summary(events: Events) -> dict[str, tuple[float, float]]:
    """Return each number with its error from resampled events."""
    cells, detector = cells_of(events), events.detector
    section = detector.readout_sections[0]
    slices = np.linspace(0, detector.depth, len(detector.layers) + 1)
    rings = np.asarray(section.readout.segmentation.r_edges)
    incident = float(events["energy"][0])

    def numbers(chosen):
        mean = chosen.mean(axis=0)
        total = chosen.sum(axis=(1, 2)) / incident
        return (
            maximum_of(mean.sum(axis=1), slices),
            radius_of(mean.sum(axis=0), rings),
            float(total.mean()),
            float(total.std()),
        )

    rng = np.random.default_rng(1)
    drawn = [numbers(cells[rng.integers(0, len(cells), len(cells))]) for _ in range(SAMPLES)]
    names = ("maximum_mm", "radius90_mm", "response", "width")
    values, errors = numbers(cells), np.std(drawn, axis=0).tolist()
    return {n: (v, e) for n, v, e in zip(names, values, errors, strict=True)}
