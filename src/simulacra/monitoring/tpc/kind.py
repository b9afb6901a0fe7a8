"""The pad rows of a TPC, as a monitor sees them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import TPC
from simulacra.drawings import canvas
from simulacra.events import Events
from simulacra.faults.tpc.sectors import SECTORS, sector_of
from simulacra.monitoring.channels import Channels, Watched
from simulacra.observables.tpc.tracks import Tracks

ROW, CHAMBER = "row", "chamber"
FAR = 100.0
"""Residual in mm beyond which a cluster does not belong to the track."""


def channels(events: Events) -> Channels:
    """Return clusters, charge per length and residuals to the true helix, by row and chamber.

    The sector and side of a chamber are those of the true helix, so that a row without a cluster
    belongs to one as well.
    """
    tracks = Tracks(events)
    true, present = tracks.beside_true, tracks.present & tracks.findable
    axes = [np.where(true.judged, np.clip(a, -FAR, FAR), 0.0) for a in true.axes]
    values = {
        "charge": np.where(present, tracks.log_charge, 0.0),
        "r phi": axes[0],
        "z": axes[1],
    }
    rows = np.arange(present.shape[1])[None, :]
    return Channels(present & true.judged, values, {ROW: rows, CHAMBER: _chambers(tracks)})


def _chambers(tracks: Tracks) -> IntArray:
    ideal = tracks.ideal
    sector = sector_of(np.nan_to_num(ideal.x), np.nan_to_num(ideal.y))
    groups = tracks.detector.pad_rows
    number = np.concatenate([np.full(group.rows, i) for i, group in enumerate(groups)])
    side = (np.nan_to_num(ideal.z) > 0).astype(np.int64)
    chambers: IntArray = (number[None, :] * SECTORS + sector) * 2 + side
    return chambers


def names(detector: TPC) -> dict[str, tuple[str, ...]]:
    """Return the names of rows ``row 12`` and chambers ``inner 3 +z``."""
    return {
        ROW: tuple(f"row {i}" for i in range(len(detector.row_radii))),
        CHAMBER: tuple(
            f"{group.name} {sector} {side}z"
            for group in detector.pad_rows
            for sector in range(SECTORS)
            for side in "-+"
        ),
    }


def draw(detector: TPC, deviations: FloatArray) -> Figure:
    """Draw the deviation of each pad row."""
    figure, (axes,) = canvas.panels(1)
    axes.bar(np.arange(len(detector.row_radii)), deviations, width=1.0, color="#1f77b4")
    canvas.frame(axes, "", "pad row", "deviation [standard errors]")
    return figure


WATCHED = Watched(channels, names, draw)
