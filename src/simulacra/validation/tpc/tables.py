"""The tables of a TPC validation: the distance of clusters from helices, as in ALICE's talk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import TPC
from simulacra.energies import EnergyGroup
from simulacra.validation.division import track_divisions
from simulacra.validation.figures import FigureTable, Pair, share_of
from simulacra.validation.metrics.moments import moments

if TYPE_CHECKING:
    from simulacra.validation.compared import Compared
    from simulacra.validation.result import Validation
    from simulacra.validation.sample import Sample

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


def with_tracks(validation: Validation, compared: Compared) -> Validation:
    """Return the result with tables of distances to the true and to the fitted helix."""
    everything = validation.pooled.label
    tables = (_table(everything, compared, helix) for helix in HELICES)
    return replace(validation, tables=tuple(tables))


def _table(everything: str, compared: Compared, helix: str) -> FigureTable:
    name = f"rmse_{helix}"
    rows = {
        label: _figures(tuple(s.values[name] for s in samples))
        for label, samples in _groups(everything, compared)
    }
    return FigureTable(f"Distance to the {helix} helix", CAPTION, COLUMNS, rows)


def _groups(everything: str, compared: Compared) -> Iterator[tuple[str, tuple[Sample, Sample]]]:
    """Yield all events of both samples, each momentum, and both again in parts of |eta|."""
    assert isinstance(compared.detector, TPC)
    both = compared.full, compared.fast
    yield everything, both
    for group in compared.groups:
        yield group.label, _within(group, both)
    divisions = {d.name: d.parts for d in track_divisions(compared.detector)}
    for part in divisions["|eta|"]:
        first, second = (s.take(part.select(s.conditions)) for s in both)
        yield part.label, (first, second)
        for group in compared.groups:
            yield f"{part.label}, {group.label}", _within(group, (first, second))


def _within(group: EnergyGroup, samples: tuple[Sample, Sample]) -> tuple[Sample, Sample]:
    first, second = (s.take(group.select(s.energies)) for s in samples)
    return first, second


def _figures(values: tuple[FloatArray, ...]) -> tuple[Pair, ...]:
    """Return the numbers of a table's row from the RMSE of each track, full and fast."""
    rmse = [moments(v[np.isfinite(v)]) for v in values]
    mse = [moments(v[np.isfinite(v)] ** 2) for v in values]
    pairs = [
        [getattr(m, key) for m in sample] for sample in (mse, rmse) for key in ("mean", "median")
    ]
    shares = [share_of(np.isnan(v).astype(np.float64)) for v in values]
    return tuple(Pair(*pair) for pair in (*pairs, shares))
