"""Plots of the headline observable energy by energy: a calorimeter's response, a track's RMSE."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from matplotlib.axes import Axes

from simulacra.validation.canvas import (
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
from simulacra.validation.group_plots import finite, histogram_panel
from simulacra.validation.kinds import kind_of
from simulacra.validation.metrics import Estimate
from simulacra.validation.resolution import Resolution
from simulacra.validation.result import Comparison, ObservableInfo, title_of
from simulacra.validation.shown import Shown


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
    label = mean_label(validation.observables[validation.headline])
    figure, pairs = panels(2, width=4.7, height=4.0)
    against_scale(*pairs[0], points, mean_estimate, label, axis)
    against_scale(*pairs[1], points, _relative_width, r"relative width $\sigma / \mu$", axis)
    _log_widths(pairs[1][0], points)
    heading, lines = "Mean and relative width", ""
    if validation.resolution is not None:
        _draw_fits(pairs[1][0], validation.resolution, points)
        heading = "Linearity and resolution"
        lines = " Thin lines: the fit of a / √E ⊕ b ⊕ c / E to either."
    yield Plot(
        "energy-dependence",
        heading,
        f"Mean and relative width against the {axis}: "
        f"{title_of(validation.observables, validation.headline)}, "
        f"with statistical errors; below, fast over full simulation.{lines}",
        finish(figure),
    )


def _log_widths(axes: Axes, points: list[tuple[float, Comparison]]) -> None:
    widths = [_relative_width(c, generated).value for _, c in points for generated in (False, True)]
    known = [width for width in widths if width > 0]
    if known:
        log_axis(axes, "y", min(known), max(known))


def mean_label(info: ObservableInfo) -> str:
    """Return the label of an observable's mean, with its unit."""
    words = info.label.strip("$")
    label = rf"$\langle {words} \rangle$" if words != info.label else f"mean {words}"
    return axis_label(label, info.unit)


def _draw_fits(axes: Axes, resolution: Resolution, points: list[tuple[float, Comparison]]) -> None:
    energy = np.geomspace(min(e for e, _ in points), max(e for e, _ in points), 100)
    for fit, colour in ((resolution.reference, BLACK), (resolution.generated, COLOUR)):
        axes.plot(energy, fit.width(energy), color=colour, lw=0.7, alpha=0.7)


def mean_estimate(comparison: Comparison, generated: bool) -> Estimate:
    """Return the mean of either sample."""
    return (comparison.generated if generated else comparison.reference).mean


def _relative_width(comparison: Comparison, generated: bool) -> Estimate:
    moments = comparison.generated if generated else comparison.reference
    if not moments.mean.value:
        return Estimate(np.nan)
    scale = abs(moments.mean.value)
    return Estimate(moments.std.value / scale, moments.std.error / scale)


def against_scale(
    main: Axes,
    ratio: Axes,
    points: list[tuple[float, Comparison]],
    quantity: Callable[[Comparison, bool], Estimate],
    label: str,
    axis: str,
) -> None:
    """Draw a quantity of both samples and its ratio against energies or momenta (GeV)."""
    energies = np.array([energy for energy, _ in points])
    value, error = np.array(
        [[(q.value, q.error) for q in (quantity(c, g) for _, c in points)] for g in (False, True)]
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
    log_axis(main, "x", float(energies.min()), float(energies.max()))
    main.set_ylabel(label)
    main.legend()
    ratio.set_xlabel(f"{axis} [GeV]")
