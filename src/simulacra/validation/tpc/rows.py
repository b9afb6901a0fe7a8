"""Pad row by pad row: how often a row has a cluster, where it lies and what charge it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.detectors import TPC
from simulacra.events import Events
from simulacra.observables.tpc.tracks import Tracks


@dataclass(frozen=True, slots=True)
class RowProfile:
    """A mean over tracks for each pad row, (rows,), and its error; nan where no track counts."""

    mean: FloatArray
    error: FloatArray

    @property
    def root(self) -> RowProfile:
        """The root of the mean, and its error to first order."""
        with np.errstate(invalid="ignore", divide="ignore"):
            root = np.sqrt(self.mean)
            return RowProfile(root, self.error / (2 * root))


QUANTITIES = ("presence", "shift r phi", "shift z", "square r phi", "square z", "charge")
"""Names of the profiles: whether there is a cluster, residuals to the true helix in mm, squared
residuals to the fitted helix in mm^2, q over the path in ADC/mm."""


def row_profiles(detector: TPC, pieces: Iterable[Events]) -> Mapping[str, RowProfile]:
    """Return the profiles of :data:`QUANTITIES`; numbers that are not finite do not count."""
    rows = len(detector.row_radii)
    sums = {name: np.zeros((3, rows)) for name in QUANTITIES}
    for events in pieces:
        with np.errstate(invalid="ignore", over="ignore"):
            for name, (values, chosen) in _quantities(Tracks(events)).items():
                used = chosen & np.isfinite(values)
                kept = np.where(used, values, 0.0)
                sums[name] += [used.sum(axis=0), kept.sum(axis=0), np.square(kept).sum(axis=0)]
    return {name: _profile(*parts) for name, parts in sums.items()}


def _quantities(tracks: Tracks) -> dict[str, tuple[FloatArray, BoolArray]]:
    """Return the values (n, rows) of each quantity, and where they count."""
    true, fitted = tracks.beside_true, tracks.beside_fitted
    present = tracks.present
    values = {"presence": (present.astype(np.float64), np.ones_like(present))}
    for i, axis in enumerate(("r phi", "z")):
        values[f"shift {axis}"] = true.axes[i], true.judged
        values[f"square {axis}"] = fitted.axes[i] ** 2, fitted.judged
    values["charge"] = tracks.charge_per_length, present
    return values


def _profile(number: FloatArray, first: FloatArray, second: FloatArray) -> RowProfile:
    n = np.where(number > 1, number, np.nan)
    mean = first / n
    variance = np.maximum(second / n - mean**2, 0.0)
    return RowProfile(mean, np.sqrt(variance / (n - 1)))
