"""Tracks in a TPC: what the observables of a track have in common, computed once.

The *true* helix is that of the conditions, without energy loss or scattering; the *fitted* one is
the best through the clusters (:mod:`simulacra.observables.tpc.helix_fit`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.detectors import TPC
from simulacra.events import Events
from simulacra.helix import (
    FLATTEST,
    Crossings,
    Helix,
    crossings,
    helix_of,
    residuals,
    squared_distances,
)
from simulacra.observables.tpc.helix_fit import HelixFit, fit_helices

SMALLEST_CHARGE = 1e-3
"""Charge in ADC that stands for what a logarithm cannot take."""


def masked_mean(values: FloatArray, chosen: BoolArray, fewest: int = 1) -> FloatArray:
    """Return the mean (n,) over the chosen rows (n, rows); nan with fewer than ``fewest``."""
    number = chosen.sum(axis=1)
    total = np.where(chosen, values, 0.0).sum(axis=1)
    return np.where(number >= fewest, total / np.maximum(number, 1), np.nan)


def masked_std(values: FloatArray, chosen: BoolArray, fewest: int = 3) -> FloatArray:
    """Return the standard deviation (n,) over the chosen rows; nan with fewer than ``fewest``."""
    beside = values - masked_mean(values, chosen)[:, None]
    return np.sqrt(masked_mean(beside**2, chosen, fewest))


def lag_correlation(values: FloatArray, chosen: BoolArray, fewest: int) -> FloatArray:
    """Return the correlation (n,) of values with those of the next row, where both are chosen.

    sum((a_i - m)(a_(i+1) - m)) over sum((a_i - m)^2), each a mean over its terms; m is the mean of
    the track. Nan with fewer pairs than ``fewest``, 0 where nothing varies.
    """
    beside = values - masked_mean(values, chosen)[:, None]
    both = chosen[:, 1:] & chosen[:, :-1]
    product = masked_mean(beside[:, 1:] * beside[:, :-1], both, fewest)
    square = masked_mean(beside**2, chosen)
    varies = square > 1e-20
    return np.where(varies, product / np.where(varies, square, 1.0), 0.0 * product)


@dataclass(frozen=True, slots=True)
class Beside:
    """Residuals of clusters to a helix.

    Attributes:
        axes: along r phi and along z, (n, rows) each, mm.
        judged: the rows that have a cluster, at a radius that the helix gets to, and that the true
            helix does not cross too flatly.
    """

    axes: tuple[FloatArray, FloatArray]
    judged: BoolArray


class Tracks:
    """The clusters of some tracks, (n, rows) each unless said otherwise."""

    def __init__(self, events: Events) -> None:
        assert isinstance(events.detector, TPC)
        self.events = events
        self.detector = events.detector

    @cached_property
    def present(self) -> BoolArray:
        """Which rows have a cluster."""
        mask: BoolArray = self.events["cluster_mask"] > 0
        return mask

    @cached_property
    def number(self) -> IntArray:
        """How many clusters a track has, (n,)."""
        number: IntArray = self.present.sum(axis=1)
        return number

    @cached_property
    def points(self) -> FloatArray:
        """Positions (n, rows, 3), mm; 0 where there is no cluster."""
        points = self.events["clusters"][..., :3].astype(np.float64)
        return np.where(self.present[..., None], points, 0.0)

    @cached_property
    def charge(self) -> FloatArray:
        """The charge q, ADC."""
        return self.events["clusters"][..., 3].astype(np.float64)

    @cached_property
    def charge_max(self) -> FloatArray:
        """The largest pad's charge q_max, ADC."""
        return self.events["clusters"][..., 4].astype(np.float64)

    @cached_property
    def conditions(self) -> dict[str, FloatArray]:
        """The conditions in double precision, (n,)."""
        columns = self.events.conditions
        return {name: columns[name].astype(np.float64) for name in self.detector.conditions}

    @cached_property
    def true(self) -> Helix:
        """The true helices."""
        species = self.detector.conditions["pdg"].categories or ()
        return helix_of(self.conditions, species, self.detector.magnetic_field)

    @cached_property
    def ideal(self) -> Crossings:
        """Where the true helices cross the middle of the rows."""
        return crossings(self.true, self.detector.row_radii)

    @cached_property
    def steepness(self) -> FloatArray:
        """Cosine of the angle between the true path and the radius."""
        ideal = self.ideal
        direction = self.true.phi[:, None] + ideal.angle
        along = ideal.x * np.cos(direction) + ideal.y * np.sin(direction)
        cosine: FloatArray = along / np.hypot(ideal.x, ideal.y)
        return cosine

    @cached_property
    def findable(self) -> BoolArray:
        """Which rows the true helix crosses within the drift length."""
        inside = np.abs(self.ideal.z) < self.detector.drift_length
        findable: BoolArray = self.ideal.reached & inside
        return findable

    @cached_property
    def fit(self) -> HelixFit:
        """The fitted helices."""
        return fit_helices(self.points, self.present)

    @cached_property
    def charge_per_length(self) -> FloatArray:
        """Charge over the true path in the row, ADC/mm: the pitch over both cosines.

        Where the path is flatter than ``FLATTEST`` to the row, it counts as that flat.
        """
        pitch = np.concatenate([np.full(p.rows, p.pitch) for p in self.detector.pad_rows])
        slope = np.sqrt(1 + self.true.tan_lambda[:, None] ** 2)
        length: FloatArray = pitch * slope / np.maximum(self.steepness, FLATTEST)
        return self.charge / length

    @cached_property
    def log_charge(self) -> FloatArray:
        """Logarithm of the charge per length."""
        return np.log(np.maximum(self.charge_per_length, SMALLEST_CHARGE))

    def mean_square(self, helix: Helix) -> FloatArray:
        """Return the mean squared distance (n,) of clusters to helices in space, mm^2."""
        return masked_mean(squared_distances(helix, self.points), self.present)

    @cached_property
    def beside_true(self) -> Beside:
        """Residuals to the true helix."""
        return self._beside(self.true)

    @cached_property
    def beside_fitted(self) -> Beside:
        """Residuals to the fitted helix; no row of a track without a fit is judged."""
        return self._beside(self.fit.helix)

    def _beside(self, helix: Helix) -> Beside:
        found = residuals(helix, self.points)
        judged = self.present & found.reached & (self.steepness > FLATTEST)
        return Beside((found.r_phi, found.z), judged)

    def rows_of(self, region: str) -> slice:
        """Return the rows of a group of pad rows."""
        first = 0
        for group in self.detector.pad_rows:
            if group.name == region:
                return slice(first, first + group.rows)
            first += group.rows
        msg = f"no pad rows {region!r}"
        raise KeyError(msg)


def truncated_mean(values: FloatArray, chosen: BoolArray, part: float, fewest: int) -> FloatArray:
    """Return the mean (n,) of the lowest ``part`` of the chosen values; nan with too few.

    Of m values, the lowest ceil(part m): seven of eleven for 0.6.
    """
    number = chosen.sum(axis=1)
    last = np.maximum(np.ceil(part * number - 1e-9).astype(int), 1)
    ordered = np.sort(np.where(chosen, values, math.inf), axis=1)
    lowest = np.arange(values.shape[1]) < last[:, None]
    return masked_mean(ordered, lowest & (number[:, None] > 0), 1) + np.where(
        number >= fewest, 0.0, np.nan
    )
