"""Plots of the headline observable energy by energy: a calorimeter's response, a track's RMSE."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from simulacra.validation.calorimeter.resolution import Resolution
from simulacra.validation.kinds import kind_of
from simulacra.validation.metrics.one_dimensional import Estimate, Moments
from simulacra.validation.report.canvas import (
    BLACK,
    COLOUR,
    FAST,
    FULL,
    Plot,
    axis_label,
    finish,
    log_axis,
    panels,
    ratio_axis,
)
from simulacra.validation.report.group_plots import finite, histogram_panel
from simulacra.validation.result import Comparison, ObservableInfo, title_of
from simulacra.validation.shown import Shown
from simulacra.validation.summary import SUMMARIES, Summary


def headline_by_energy(shown: Shown) -> Iterator[Plot]:
    """Yield the headline observable's histograms, one panel per energy."""
    validation, name = shown.validation, shown.validation.headline
    judged = {group.label for group in validation.energies if name in group.comparisons}
    groups = [group for group in shown.groups if group.label in judged]
    if not groups:
        return
    figure, pairs = panels(len(groups))
    for group, (main, ratio) in zip(groups, pairs, strict=True):
        full, fast = (
            finite(sample.values[name][group.select(sample.energies)])
            for sample in (shown.full, shown.fast)
        )
        info = validation.observables[name]
        histogram_panel(main, ratio, info, full, fast, title=group.label)
    yield Plot(
        "headline",
        f"{title_of(validation.observables, name)} at each {kind_of(shown.detector).scale.one}",
        "Share of events per bin; below, fast over full simulation with the statistical errors of "
        "either (grey and red bands). The first and last bin hold what lies beyond the axis.",
        finish(figure),
    )


def headline_against_energy(shown: Shown) -> Iterator[Plot]:
    """Yield mean and relative width of the headline observable against the energy."""
    validation = shown.validation
    rows = [(g.energy, g.comparisons.get(validation.headline)) for g in validation.energies]
    points = [(e / 1000, c) for e, c in rows if e is not None and c is not None]
    if not points:
        return
    axis = kind_of(shown.detector).scale.axis
    summary = SUMMARIES[validation.summary]
    label = centre_label(summary, validation.observables[validation.headline])
    figure, pairs = panels(2, width=4.7, height=4.0)
    against_scale(*pairs[0], points, summary.centre, label, axis)
    relative = partial(_relative_width, summary)
    symbols = r" $\sigma / \mu$" if validation.summary == "moments" else ""
    against_scale(*pairs[1], points, relative, f"relative {summary.words[1]}{symbols}", axis)
    widths = [relative(m).value for _, c in points for m in (c.reference, c.generated)]
    widths = [width for width in widths if np.isfinite(width)]  # a single event has none
    log_axis(pairs[1][0], "y", min(widths, default=0.0), max(widths, default=0.0))
    first, second = summary.words
    heading, lines = f"{first.capitalize()} and relative {second}", ""
    if validation.resolution is not None:
        _draw_fits(pairs[1][0], validation.resolution, points)
        heading = "Linearity and resolution"
        lines = " Thin lines: the fit of a / √E ⊕ b ⊕ c / E to either."
    yield Plot(
        "energy-dependence",
        heading,
        f"{first.capitalize()} and relative {second} against the {axis}: "
        f"{title_of(validation.observables, validation.headline)}, "
        f"with statistical errors; below, fast over full simulation.{lines}",
        finish(figure),
    )


def centre_label(summary: Summary, info: ObservableInfo) -> str:
    """Return the label of an observable's mean or median, with its unit."""
    words, name = info.label.strip("$"), summary.words[0]
    formula = name == "mean" and words != info.label
    label = rf"$\langle {words} \rangle$" if formula else f"{name} {info.label}"
    return axis_label(label, info.unit)


def _relative_width(summary: Summary, moments: Moments) -> Estimate:
    centre, width = summary.centre(moments), summary.width(moments)
    if not centre.value:
        return Estimate(np.nan)
    scale = abs(centre.value)
    return Estimate(width.value / scale, width.error / scale)


def _draw_fits(axes: Axes, resolution: Resolution, points: list[tuple[float, Comparison]]) -> None:
    energy = np.geomspace(min(e for e, _ in points), max(e for e, _ in points), 100)
    for fit, colour in ((resolution.reference, BLACK), (resolution.generated, COLOUR)):
        axes.plot(energy, fit.width(energy), color=colour, lw=0.7, alpha=0.7)


def against_scale(
    main: Axes,
    ratio: Axes,
    points: list[tuple[float, Comparison]],
    quantity: Callable[[Moments], Estimate],
    label: str,
    axis: str,
) -> None:
    """Draw a quantity of both samples and its ratio against energies or momenta (GeV)."""
    energies = np.array([energy for energy, _ in points])
    both = [c.reference for _, c in points], [c.generated for _, c in points]
    value, error = np.array(
        [[(q.value, q.error) for q in map(quantity, moments)] for moments in both]
    ).transpose(2, 0, 1)
    error = np.nan_to_num(error)
    main.errorbar(energies, value[0], error[0], fmt="o", color=BLACK, ms=5, lw=1, label=FULL)
    main.errorbar(energies, value[1], error[1], fmt="s", color=COLOUR, ms=4, lw=1, label=FAST)
    safe = np.where(value[0] != 0, value[0], np.nan)
    relative = np.abs(error / safe)
    ratio.fill_between(energies, 1 - relative[0], 1 + relative[0], color="0.5", alpha=0.25, lw=0)
    ratio.errorbar(energies, value[1] / safe, relative[1], fmt="s", color=COLOUR, ms=4, lw=1)
    ratio_axis(ratio)
    span = np.nanmax(np.abs(value[1] / safe - 1) + relative[1], initial=0.01)
    ratio.set_ylim(1 - 1.2 * min(span, 1.0), 1 + 1.2 * min(span, 1.0))
    if np.isfinite(value).any():  # an empty axis cannot be logarithmic
        log_axis(main, "x", float(energies.min()), float(energies.max()))
    main.set_ylabel(label)
    main.legend()
    ratio.set_xlabel(f"{axis} [GeV]")
