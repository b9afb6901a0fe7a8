"""Histograms of all observables, one figure per group: a panel for each layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulacra.arrays import FloatArray
from simulacra.statistics.histograms import binning_of
from simulacra.validation.compared import Compared
from simulacra.validation.kinds import kind_of
from simulacra.validation.report.canvas import (
    BLACK,
    COLOUR,
    FAST,
    FULL,
    Histogram,
    Plot,
    axis_label,
    draw_histograms,
    finish,
    panels,
    stretch_axis,
)
from simulacra.validation.result import Comparison, ObservableInfo, Validation, label_text

MOST_MEMBERS = 8
"""Panels of one figure for a group; of one with more observables (layers), some are drawn."""


def grouped_histograms(validation: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield one figure per group of observables, one panel per member (layer), energies pooled."""
    groups = _groups(validation)
    alone = [members[0] for members in groups.values() if len(members) == 1]
    several = {name: members for name, members in groups.items() if len(members) > 1}
    first = {"whole event": alone} if alone else {}
    for name, members in (first | several).items():
        drawn = members if name == "whole event" else _some(members)
        left = f" {len(drawn)} of {len(members)} are drawn." if len(drawn) < len(members) else ""
        figure, pairs = panels(len(drawn))
        for member, (main, ratio) in zip(drawn, pairs, strict=True):
            full, fast = (
                finite(sample.values[member]) for sample in (compared.full, compared.fast)
            )
            if len(full):
                info = validation.observables[member]
                histogram_panel(main, ratio, info, full, fast, log=True)
        yield Plot(
            f"group-{name}",
            label_text(name).capitalize(),
            f"All {kind_of(compared.detector).scale.many} together, logarithmic.{left}",
            finish(figure),
        )


def _groups(validation: Validation) -> dict[str, list[str]]:
    """Return the names of the observables of each group."""
    groups: dict[str, list[str]] = {}
    for name, info in validation.observables.items():
        groups.setdefault(info.group, []).append(name)
    return groups


def _some(members: list[str]) -> list[str]:
    """Return at most ``MOST_MEMBERS``, evenly spaced, with the first and the last."""
    places = np.linspace(0, len(members) - 1, min(len(members), MOST_MEMBERS))
    return [members[int(i)] for i in np.round(places)]


def profiles(validation: Validation, _: Compared) -> Iterator[Plot]:
    """Yield mean and width against the layer, for groups with too many layers to draw each."""
    groups = _groups(validation)
    long = {group: names for group, names in groups.items() if len(names) > MOST_MEMBERS}
    if not long:
        return
    figure, pairs = panels(len(long), most_columns=3)
    for (group, names), pair in zip(long.items(), pairs, strict=True):
        rows = [validation.pooled.comparisons.get(name) for name in names]
        label = axis_label(label_text(group), validation.observables[names[0]].unit)
        _profile_panel(*pair, rows, label)
    yield Plot(
        "profiles",
        "Layer by layer",
        "Mean over all events against the layer; the grey band is the width (one standard "
        "deviation) of the full simulation. Below, the difference of the means in units of it.",
        finish(figure),
    )


def _profile_panel(main: Axes, ratio: Axes, rows: list[Comparison | None], label: str) -> None:
    points = [(i, c.reference, c.generated) for i, c in enumerate(rows) if c is not None]
    layer = np.array([i for i, _, _ in points])
    full = np.array([reference.mean.value for _, reference, _ in points])
    width = np.array([reference.std.value for _, reference, _ in points])
    fast = np.array([generated.mean.value for _, _, generated in points])
    main.fill_between(layer, full - width, full + width, color="0.85", lw=0)
    main.plot(layer, full, color=BLACK, label=FULL)
    main.plot(layer, fast, color=COLOUR, ls="--", label=FAST)
    main.set_ylabel(label)
    main.legend()
    ratio.plot(layer, (fast - full) / np.where(width > 0, width, np.nan), color=COLOUR)
    ratio.axhline(0, color=BLACK, lw=0.6)
    ratio.set_ylim(-0.5, 0.5)
    ratio.set_ylabel(r"$\Delta / \sigma$")
    ratio.set_xlabel("layer")


def finite(values: FloatArray) -> FloatArray:
    """Return the finite ones of the values."""
    return values[np.isfinite(values)]


def histogram_panel(
    main: Axes,
    ratio: Axes,
    info: ObservableInfo,
    full: FloatArray,
    fast: FloatArray,
    *,
    title: str | None = None,
    log: bool = False,
) -> None:
    """Draw one observable's histograms with legend and labels; ``title`` heads the legend."""
    edges = info.axis.values(binning_of(info.axis.places(full)).edges)
    stretch_axis(ratio, info.axis, edges)
    draw_histograms(main, ratio, edges, Histogram.of(edges, full), Histogram.of(edges, fast))
    room = 12.0 if log else 1.4  # for the legend
    high = main.get_ylim()[1]
    if log:
        main.set_yscale("log")
        main.minorticks_off()
    main.set_ylim(0.3 / max(len(full), len(fast), 1) if log else 0.0, high * room)
    main.legend(loc="upper left", title=title, alignment="left", title_fontsize=9)
    if not log:
        main.yaxis.set_major_locator(MaxNLocator(5, prune="lower"))
    ratio.set_xlabel(axis_label(info.label, info.unit))
    main.set_ylabel("share of events")
