"""What a validation adds for a TPC: how far clusters lie from helices, as the decks state it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.validation.figures import FigureTable, Pair, mean_of, median_of, share_of

if TYPE_CHECKING:
    from simulacra.validation.result import Validation
    from simulacra.validation.shown import Shown

HELICES = ("true", "fitted")
COLUMNS = (
    "mean MSE, mm²",
    "median MSE, mm²",
    "mean RMSE, mm",
    "median RMSE, mm",
    "undefined",
)
CAPTION = (
    "Full and fast simulation, and fast over full. Each track has a mean squared error (MSE), the "
    "mean over its clusters of the squared distance to the helix in space, and its root (RMSE); "
    "the table has mean and median over tracks, with errors. Tracks that decay or scatter hard "
    "rule the means. Tracks without a cluster have no distance to the true helix, those with "
    "fewer than ten no fitted one: their share is in the last column."
)


def with_tracks(shown: Shown) -> Validation:
    """Return the result with tables of distances to the true and to the fitted helix."""
    return replace(shown.validation, tables=tuple(_table(shown, helix) for helix in HELICES))


def _table(shown: Shown, helix: str) -> FigureTable:
    pooled, name = shown.validation.pooled, f"rmse_{helix}"
    values = shown.full.values[name], shown.fast.values[name]
    rows = {} if pooled is None else {pooled.label: _figures(values)}
    for group in shown.groups:
        masks = (group.select(sample.energies) for sample in (shown.full, shown.fast))
        rows[group.label] = _figures(tuple(v[m] for v, m in zip(values, masks, strict=True)))
    return FigureTable(f"Distance to the {helix} helix", CAPTION, COLUMNS, rows)


def _figures(values: tuple[FloatArray, ...]) -> tuple[Pair, ...]:
    """Return the numbers of a table's row from the RMSE of each track, full and fast."""
    defined = [v[np.isfinite(v)] for v in values]
    pairs = [
        [estimate(power(v)) for v in defined]
        for power in (np.square, np.positive)
        for estimate in (mean_of, median_of)
    ]
    shares = [share_of(np.isnan(v).astype(np.float64)) for v in values]
    return tuple(Pair(*pair) for pair in (*pairs, shares))
