"""Histograms of one observable of full simulation and of several simulators in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mplhep
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulacra.arrays import FloatArray
from simulacra.errors import SimulacraError
from simulacra.statistics.histograms import binning_of
from simulacra.validation.report.canvas import (
    FULL,
    Histogram,
    axis_label,
    band,
    draw_full,
    panels,
    ratio_axis,
    stretch_axis,
    styled,
)
from simulacra.validation.report.observable_plot import group_of, require_observable
from simulacra.validation.result import ObservableInfo

if TYPE_CHECKING:
    from simulacra.validation.side_by_side import SideBySide

COLOURS = (
    "#c8102e",
    "#0072b2",
    "#009e73",
    "#e69f00",
    "#cc79a7",
    "#56b4e9",
    "#7f3c8d",
    "#8c564b",
)
"""Okabe and Ito's colours, which the colour-blind tell apart, after the report's own red."""


def overlay_figure(together: SideBySide, name: str, energy: str | None) -> Figure:
    """Return the figure of an observable; see :meth:`SideBySide.plot`."""
    require_observable(together.first, name)
    with styled():
        figure, ((main, ratio),) = panels(1, width=6.5, height=4.8)
        overlay_panel(main, ratio, together, name, energy)
    return figure


def overlay_panel(
    main: Axes, ratio: Axes, together: SideBySide, name: str, energy: str | None
) -> None:
    """Draw an observable at one energy, or of all events, into a pair of axes."""
    first = together.first
    compared = first.require_events(f"a histogram of {name}")
    label = None if energy is None else group_of(first, compared, energy).label
    full = compared.values(compared.full, name, label)
    if not len(full):
        msg = f"nothing to draw: {name} is undefined{'' if energy is None else f' at {energy}'}"
        raise SimulacraError(msg)
    info = first.observables[name]
    edges = info.axis.values(binning_of(info.axis.places(full)).edges)
    stretch_axis(ratio, info.axis, edges)
    share, error = Histogram.of(edges, full).shares
    draw_full(main, edges, share, FULL)
    filled = share > 0
    safe = np.where(filled, share, 1.0)
    band(ratio, edges, np.ones_like(safe), np.where(filled, error / safe, 0.0), "0.5")
    for colour, (simulator, validation) in zip(COLOURS, together.items(), strict=False):
        other = validation.require_events(f"a histogram of {name}")
        own, _ = Histogram.of(edges, other.values(other.fast, name, label)).shares
        mplhep.histplot(own, edges, ax=main, histtype="step", color=colour, lw=1.2, label=simulator)
        value = np.where(filled, own / safe, np.nan)
        mplhep.histplot(value, edges, ax=ratio, histtype="step", color=colour, lw=1, edges=False)
    _finish(main, ratio, info, edges, label)


def _finish(
    main: Axes, ratio: Axes, info: ObservableInfo, edges: FloatArray, label: str | None
) -> None:
    main.set_xlim(edges[0], edges[-1])
    main.set_ylim(0.0, 1.45 * main.get_ylim()[1])
    main.set_ylabel("share of events")
    main.legend(loc="upper left", title=label, alignment="left", title_fontsize=9, ncols=2)
    ratio_axis(ratio)
    ratio.set_xlabel(axis_label(info.label, info.unit))
