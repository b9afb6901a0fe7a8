"""Drawing a reference and a generated distribution with their ratio; figures without global state.

Colours and order are the same everywhere: full simulation grey, filled; fast simulation a line.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Self

import hist
import matplotlib as mpl
import mplhep
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from simulacra.arrays import FloatArray
from simulacra.observables import Axis

FULL, FAST = "full simulation", "fast simulation"
GREY, BLACK, COLOUR = "0.8", "0.25", "#c8102e"
DPI = 110
RATIO_RANGE = (0.5, 1.5)
STYLE: Any = {
    "font": {"size": 9.0},
    "axes": {"labelsize": 10.0, "formatter.limits": (-3, 4), "formatter.use_mathtext": True},
    "legend": {"fontsize": 8.0, "frameon": False},
    "xtick": {"direction": "in", "top": True},
    "ytick": {"direction": "in", "right": True},
}
"""Settings for ``matplotlib.rc``, by group (their types change from version to version)."""


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the report, whatever the caller's settings are; restore these."""
    with mpl.rc_context():
        mpl.rcdefaults()
        for group, settings in STYLE.items():
            mpl.rc(group, **settings)
        yield


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished figure: PNG bytes, and what the report says of it."""

    name: str
    heading: str
    caption: str
    png: bytes

    @property
    def image(self) -> str:
        """The PNG in base64, as HTML embeds it."""
        return base64.b64encode(self.png).decode("ascii")


def finish(figure: Figure) -> bytes:
    """Return a figure as PNG, without metadata, so that equal plots are equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    for axes in figure.axes:  # clear() warns of logarithmic axes up to matplotlib 3.11.0
        axes.remove()
    return buffer.getvalue()


def new_figure(width: float, height: float, layout: Literal["constrained"] | None = None) -> Figure:
    """Return an empty figure of that size in inches, drawn with Agg."""
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def panels(
    count: int, most_columns: int = 4, *, width: float = 3.3, height: float = 3.3
) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Return a figure with ``count`` panels, each a main axes above a ratio axes that shares x.

    The places are computed here: matplotlib's automatic layout takes longer than the drawing.

    Args:
        count: number of panels.
        most_columns: number of panels in a full row.
        width: of one panel with its labels, inches.
        height: likewise.
    """
    columns = min(most_columns, count)
    rows = math.ceil(count / columns)
    figure = new_figure(width * columns, height * rows)
    left, right, bottom, top, gap = 0.62, 0.12, 0.5, 0.22, 0.1  # inches
    inside = height - bottom - top - gap
    pairs = []
    for i in range(count):
        row, column = divmod(i, columns)
        x, y = column * width + left, (rows - 1 - row) * height + bottom
        lower = _place(figure, x, y, width - left - right, inside / 4)
        upper = _place(figure, x, y + inside / 4 + gap, width - left - right, 3 * inside / 4)
        ratio = figure.add_axes(lower)
        main = figure.add_axes(upper, sharex=ratio)
        main.tick_params(labelbottom=False)
        pairs.append((main, ratio))
    return figure, pairs


def _place(
    figure: Figure, x: float, y: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Return a rectangle given in inches as parts of the figure."""
    full_width, full_height = figure.get_size_inches()
    return x / full_width, y / full_height, width / full_width, height / full_height


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts (n,) of all entries, and their mean and standard deviation."""

    counts: FloatArray
    mean: float
    rms: float

    @classmethod
    def of(cls, edges: FloatArray, values: FloatArray) -> Self:
        """Count values; those beyond the edges in the first and last bin, so that they are seen."""
        inside = np.clip(values, edges[0], np.nextafter(edges[-1], -np.inf))
        axis = hist.axis.Variable(edges)
        counts = hist.Hist(axis, storage=hist.storage.Double()).fill(inside).values()
        if not len(values):
            return cls(counts, math.nan, math.nan)
        return cls(counts, float(values.mean()), float(values.std()))

    @property
    def shares(self) -> tuple[FloatArray, FloatArray]:
        """The share of the entries in each bin and its statistical error, (n,) each."""
        total = max(float(self.counts.sum()), 1.0)
        return self.counts / total, np.sqrt(self.counts) / total

    @property
    def text(self) -> str:
        """Mean and standard deviation in words."""
        if not self.counts.sum():
            return "no events"
        return rf"$\mu$ = {self.mean:.4g}, rms = {self.rms:.3g}"


def draw_histograms(
    main: Axes, ratio: Axes, edges: FloatArray, full: Histogram, fast: Histogram
) -> None:
    """Draw the share of entries per bin with statistical bands, and fast / full below."""
    shares, errors = zip(full.shares, fast.shares, strict=True)
    labels = [f"{name.split()[0]}: {h.text}" for name, h in ((FULL, full), (FAST, fast))]
    draw_full(main, edges, shares[0], labels[0])
    mplhep.histplot(
        shares[1], edges, ax=main, histtype="step", color=COLOUR, lw=1.2, label=labels[1]
    )
    band(main, edges, shares[1], errors[1], COLOUR)
    draw_ratio(ratio, edges, shares, errors)
    main.set_xlim(edges[0], edges[-1])


def draw_full(axes: Axes, edges: FloatArray, share: FloatArray, label: str) -> None:
    """Draw the share of full simulation's entries per bin, filled."""
    mplhep.histplot(share, edges, ax=axes, histtype="fill", color=GREY, label=label)
    mplhep.histplot(share, edges, ax=axes, histtype="step", color=BLACK, lw=0.8)


def band(axes: Axes, edges: FloatArray, middle: FloatArray, half: FloatArray, colour: str) -> None:
    """Fill from ``middle - half`` to ``middle + half`` in each bin."""
    low, high = (np.append(v, v[-1]) for v in (middle - half, middle + half))
    axes.fill_between(edges, low, high, step="post", color=colour, alpha=0.25, lw=0)


def draw_ratio(
    axes: Axes, edges: FloatArray, shares: Sequence[FloatArray], errors: Sequence[FloatArray]
) -> None:
    """Draw fast / full where full is not empty; bands are each sample's own errors."""
    (full, fast), (full_error, fast_error) = shares, errors
    filled = full > 0
    safe = np.where(filled, full, 1.0)
    value = np.where(filled, fast / safe, np.nan)
    band(axes, edges, np.ones_like(full), np.where(filled, full_error / safe, 0.0), "0.5")
    mplhep.histplot(value, edges, ax=axes, histtype="step", color=COLOUR, lw=1.0, edges=False)
    band(axes, edges, value, np.where(filled, fast_error / safe, 0.0), COLOUR)
    ratio_axis(axes)


def ratio_axis(axes: Axes) -> None:
    """Give a ratio panel its line at one, its range and its label."""
    axes.axhline(1, color=BLACK, lw=0.6)
    axes.set_ylim(*RATIO_RANGE)
    axes.set_ylabel("fast / full")


def log_axis(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic where its values span more than half a decade.

    Labels stand at powers of ten only, unless there are too few of these.
    """
    if not 0 < low < high or high / low < 3:
        return
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    if high / low > 30:
        (axes.xaxis if which == "x" else axes.yaxis).set_minor_formatter(NullFormatter())


def stretch_axis(axes: Axes, axis: Axis, edges: FloatArray) -> None:
    """Make the x axis of an observable's histogram linear, logarithmic or linear in the core."""
    low, high = float(edges[0]), float(edges[-1])
    if axis.kind == "log":
        log_axis(axes, "x", low, high)
    elif axis.kind == "arsinh" and max(-low, high) > 3 * axis.core:
        axes.set_xscale("asinh", linear_width=axis.core)


def axis_label(label: str, unit: str) -> str:
    """Return the text of an axis: the label, and the unit in brackets where there is one."""
    return f"{label} [{unit}]" if unit else label
