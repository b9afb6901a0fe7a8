"""Observables of a TPC: distances to helices, clusters, energy loss, and how they hang together.

What a track does not define (a fit with fewer than ten clusters, the mean of no row) is nan and
counted as undefined; tracks are never left out for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import TPC
from simulacra.observables.axis import LINEAR, LOG, Axis
from simulacra.observables.observable import Observable
from simulacra.observables.tpc.helix_fit import FEWEST_CLUSTERS
from simulacra.observables.tpc.tracks import (
    Tracks,
    lag_correlation,
    masked_mean,
    masked_std,
    truncated_mean,
)

SHIFT = Axis("arsinh", 0.1)
TRUNCATION = 0.6
"""Part of the clusters, the lowest ones, that the truncated mean takes."""

# --- the whole track --------------------------------------------------------------------------


def rmse_true(tracks: Tracks) -> FloatArray:
    """Return the root mean square distance of the clusters to the true helix in space, mm."""
    return np.sqrt(tracks.mean_square(tracks.true))


def rmse_fitted(tracks: Tracks) -> FloatArray:
    """Return the root mean square distance of the clusters to the fitted helix, mm."""
    return np.sqrt(tracks.mean_square(tracks.fit.helix))


def curvature_error(tracks: Tracks) -> FloatArray:
    """Return the fitted over the true curvature, minus 1: the error of 1 / p_T, relative."""
    ratio: FloatArray = tracks.fit.helix.curvature / tracks.true.curvature
    return ratio - 1


def slope_error(tracks: Tracks) -> FloatArray:
    """Return the fitted minus the true tan(lambda)."""
    difference: FloatArray = tracks.fit.helix.tan_lambda - tracks.true.tan_lambda
    return difference


def clusters(tracks: Tracks) -> FloatArray:
    """Return the number of clusters."""
    return tracks.number.astype(np.float64)


def found_share(tracks: Tracks) -> FloatArray:
    """Return the number of clusters over that of rows that the true helix crosses."""
    findable = tracks.findable.sum(axis=1)
    return np.where(findable > 0, tracks.number / np.maximum(findable, 1), np.nan)


def first_row(tracks: Tracks) -> FloatArray:
    """Return the number of the first row with a cluster, from 0."""
    return np.where(tracks.number > 0, tracks.present.argmax(axis=1), np.nan)


def last_row(tracks: Tracks) -> FloatArray:
    """Return the number of the last row with a cluster."""
    last = tracks.present.shape[1] - 1
    return np.where(tracks.number > 0, last - tracks.present[:, ::-1].argmax(axis=1), np.nan)


def holes(tracks: Tracks) -> FloatArray:
    """Return how many rows between the first and the last cluster have none."""
    return last_row(tracks) - first_row(tracks) + 1 - tracks.number


def longest_gap(tracks: Tracks) -> FloatArray:
    """Return the largest number of rows without a cluster between two clusters."""
    place = np.arange(tracks.present.shape[1])
    latest = np.maximum.accumulate(np.where(tracks.present, place, -1), axis=1)
    before = latest[:, :-1]
    gaps = np.where(tracks.present[:, 1:] & (before >= 0), place[1:] - before - 1, 0)
    return np.where(tracks.number > 0, gaps.max(axis=1), np.nan)


def dedx(tracks: Tracks) -> FloatArray:
    """Return the mean of the lowest 60 % of q over the path in its row, ADC/mm."""
    return truncated_mean(tracks.charge_per_length, tracks.present, TRUNCATION, FEWEST_CLUSTERS)


def charge_correlation(tracks: Tracks) -> FloatArray:
    """Return the correlation of log(q per length) between neighbouring rows."""
    return lag_correlation(tracks.log_charge, tracks.present, FEWEST_CLUSTERS)


def residual_correlation(tracks: Tracks, *, axis: int, fitted: bool) -> FloatArray:
    """Return the correlation of residuals (0: r phi, 1: z) between neighbouring rows."""
    beside = tracks.beside_fitted if fitted else tracks.beside_true
    return lag_correlation(beside.axes[axis], beside.judged, FEWEST_CLUSTERS)


# --- a group of pad rows ----------------------------------------------------------------------


def region_clusters(tracks: Tracks, rows: slice) -> FloatArray:
    """Return the number of clusters in the rows."""
    number: FloatArray = tracks.present[:, rows].sum(axis=1).astype(np.float64)
    return number


def shift(tracks: Tracks, rows: slice, *, axis: int) -> FloatArray:
    """Return the mean residual to the true helix (0: r phi, 1: z), mm."""
    beside = tracks.beside_true
    return masked_mean(beside.axes[axis][:, rows], beside.judged[:, rows])


def width(tracks: Tracks, rows: slice, *, axis: int) -> FloatArray:
    """Return the root mean square residual to the fitted helix (0: r phi, 1: z), mm."""
    beside = tracks.beside_fitted
    square = beside.axes[axis][:, rows] ** 2
    return np.sqrt(masked_mean(square, beside.judged[:, rows], fewest=3))


def charge(tracks: Tracks, rows: slice) -> FloatArray:
    """Return the mean of q, ADC."""
    return masked_mean(tracks.charge[:, rows], tracks.present[:, rows])


def charge_max(tracks: Tracks, rows: slice) -> FloatArray:
    """Return the mean of q_max, ADC."""
    return masked_mean(tracks.charge_max[:, rows], tracks.present[:, rows])


def charge_ratio(tracks: Tracks, rows: slice) -> FloatArray:
    """Return the mean of q_max / q."""
    q, present = tracks.charge[:, rows], tracks.present[:, rows]
    filled = present & (q > 0)
    return masked_mean(tracks.charge_max[:, rows] / np.where(filled, q, 1.0), filled)


def charge_spread(tracks: Tracks, rows: slice) -> FloatArray:
    """Return the standard deviation of log(q per length)."""
    return masked_std(tracks.log_charge[:, rows], tracks.present[:, rows])


# --- the table --------------------------------------------------------------------------------


def _row(
    name: str,
    label: str,
    unit: str,
    function: Callable[[Tracks], FloatArray],
    *,
    axis: Axis = LINEAR,
) -> Observable:
    return Observable(name, label, unit, function, name, Tracks, axis, optional=True)


TRACK_ROWS = (
    _row("rmse_true", "RMSE to the true helix", "mm", rmse_true, axis=LOG),
    _row("rmse_fitted", "RMSE to the fitted helix", "mm", rmse_fitted, axis=LOG),
    _row("clusters", "clusters", "", clusters),
    _row("found_share", "clusters / findable rows", "", found_share),
    _row("first_row", "first row", "", first_row),
    _row("last_row", "last row", "", last_row),
    _row("holes", "rows missing inside", "", holes),
    _row("longest_gap", "longest gap", "", longest_gap),
    _row("dedx", "truncated dE/dx", "ADC/mm", dedx, axis=LOG),
    _row(
        "curvature_error",
        r"$\kappa_{fit} / \kappa_{true} - 1$",
        "",
        curvature_error,
        axis=Axis("arsinh", 0.01),
    ),
    _row("slope_error", r"$\Delta \tan \lambda$", "", slope_error, axis=Axis("arsinh", 0.001)),
    _row("correlation_q", r"$\rho_1(\ln q)$", "", charge_correlation),
    *(
        _row(
            f"correlation_{axis}_{name}",
            rf"$\rho_1({symbol})$, {name}",
            "",
            partial(residual_correlation, axis=i, fitted=name == "fitted"),
        )
        for i, (axis, symbol) in enumerate((("r_phi", r"\Delta r\phi"), ("z", r"\Delta z")))
        for name in ("true", "fitted")
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """An observable of a group of pad rows before it is bound to one."""

    name: str
    label: str
    unit: str
    function: Callable[[Tracks, slice], FloatArray]
    axis: Axis = LINEAR


REGION_ROWS = (
    Row("region_clusters", "clusters", "", region_clusters),
    Row("shift_r_phi", r"$\langle \Delta r\phi \rangle$", "mm", partial(shift, axis=0), SHIFT),
    Row("shift_z", r"$\langle \Delta z \rangle$", "mm", partial(shift, axis=1), SHIFT),
    Row("width_r_phi", r"$\sigma(\Delta r\phi)$", "mm", partial(width, axis=0), LOG),
    Row("width_z", r"$\sigma(\Delta z)$", "mm", partial(width, axis=1), LOG),
    Row("charge", r"$\langle q \rangle$", "ADC", charge, LOG),
    Row("charge_max", r"$\langle q_{max} \rangle$", "ADC", charge_max, LOG),
    Row("charge_ratio", r"$\langle q_{max} / q \rangle$", "", charge_ratio),
    Row("charge_spread", r"$\sigma(\ln q)$", "", charge_spread),
)


def tpc_observables(detector: TPC) -> tuple[Observable, ...]:
    """Return the observables of a TPC: whole track, then by group of pad rows."""
    regions = (
        Observable(
            f"{row.name}.{region.name}",
            f"{row.label}, {region.name}",
            row.unit,
            partial(_of_region, row.function, region.name),
            row.name,
            Tracks,
            row.axis,
            optional=True,
        )
        for region in detector.pad_rows
        for row in REGION_ROWS
    )
    return (*TRACK_ROWS, *regions)


def _of_region(
    function: Callable[[Tracks, slice], FloatArray], region: str, tracks: Tracks
) -> FloatArray:
    return function(tracks, tracks.rows_of(region))
