"""Plots of the primary observable energy by energy: a calorimeter's response, a track's RMSE."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulacra.validation.calorimeter.resolution import Resolution
from simulacra.validation.compared import Compared
from simulacra.validation.kinds import kind_of
from simulacra.validation.metrics.moments import Moments
from simulacra.validation.metrics.record import Estimate
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
from simulacra.validation.result import (
    Comparison,
    ObservableInfo,
    Validation,
    label_text,
    title_of,
)
from simulacra.validation.summary import SUMMARIES, Summary


def primary_by_energy(validation: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield the primary observable's histograms, one panel per energy."""
    name = validation.primary_observable
    judged = {group.label for group in validation.energies if name in group.comparisons}
    groups = [group for group in compared.groups if group.label in judged]
    if not groups:
        return
    figure, pairs = panels(len(groups))
    for group, (main, ratio) in zip(groups, pairs, strict=True):
        full, fast = (
            finite(sample.values[name][group.select(sample.energies)])
            for sample in (compared.full, compared.fast)
        )
        info = validation.observables[name]
        histogram_panel(main, ratio, info, full, fast, title=group.label)
    yield Plot(
        "primary",
        f"{title_of(validation.observables, name)} at each {kind_of(compared.detector).scale.one}",
        "Share of events per bin; below, fast over full simulation with the statistical errors of "
        "either (grey and red bands). The first and last bin hold what lies beyond the axis.",
        finish(figure),
    )


def primary_against_energy(validation: Validation, _: Compared) -> Iterator[Plot]:
    """Yield centre and relative width of the primary observable against the energy."""
    name = validation.primary_observable
    points = points_of(validation, name)
    if not points:
        return
    first, second = SUMMARIES[validation.summary].words
    heading, lines = f"{first.capitalize()} and relative {second}", ""
    if validation.resolution is not None:
        heading = "Linearity and resolution"
        lines = " Thin lines: the fit of a / √E ⊕ b ⊕ c / E to either."
    yield Plot(
        "energy-dependence",
        heading,
        f"{first.capitalize()} and relative {second} against the {_axis(validation)}: "
        f"{title_of(validation.observables, name)}, "
        f"with statistical errors; below, fast over full simulation.{lines}",
        finish(energy_figure(validation, name, points)),
    )


Points = list[tuple[float, Comparison]]
"""An observable at each energy or momentum, GeV."""


def points_of(validation: Validation, name: str) -> Points:
    """Return an observable's comparisons at single energies, with these in GeV."""
    rows = [(g.energy, g.comparisons.get(name)) for g in validation.energies]
    return [(e / 1000, c) for e, c in rows if e is not None and c is not None]


def energy_figure(validation: Validation, name: str, points: Points) -> Figure:
    """Return centre and width of an observable against the energy.

    The width of the primary observable is relative to the centre, with the fits of the resolution.

    Args:
        validation: the result.
        name: the observable.
        points: of it, from :func:`points_of`, at least one.
    """
    axis, summary = _axis(validation), SUMMARIES[validation.summary]
    info, second = validation.observables[name], summary.words[1]
    figure, pairs = panels(2, width=4.7, height=4.0)
    against_scale(*pairs[0], points, summary.centre, centre_label(summary, info), axis)
    if name != validation.primary_observable:
        label = axis_label(f"{second} {info.label}", info.unit)
        against_scale(*pairs[1], points, summary.width, label, axis)
        return figure
    relative = partial(_relative_width, summary)
    symbols = r" $\sigma / \mu$" if validation.summary == "moments" else ""
    against_scale(*pairs[1], points, relative, f"relative {second}{symbols}", axis)
    widths = [relative(m).value for _, c in points for m in (c.reference, c.generated)]
    widths = [width for width in widths if np.isfinite(width)]  # a single event has none
    log_axis(pairs[1][0], "y", min(widths, default=0.0), max(widths, default=0.0))
    if validation.resolution is not None:
        _draw_fits(pairs[1][0], validation.resolution, points)
    return figure


def _axis(validation: Validation) -> str:
    """Return the name of the axis of energies; a loaded result has no detector to ask."""
    compared = validation.compared
    return (
        label_text(validation.scale) if compared is None else kind_of(compared.detector).scale.axis
    )


def centre_label(summary: Summary, info: ObservableInfo) -> str:
    """Return the label of an observable's mean or median, with its unit."""
    words, name = info.label.strip("$"), summary.words[0]
    formula = name == "mean" and words != info.label and r"\langle" not in words
    label = rf"$\langle {words} \rangle$" if formula else f"{name} {info.label}"
    return axis_label(label, info.unit)


def _relative_width(summary: Summary, moments: Moments) -> Estimate:
    centre, width = summary.centre(moments), summary.width(moments)
    if not centre.value:
        return Estimate(np.nan)
    scale = abs(centre.value)
    return Estimate(width.value / scale, width.error / scale)


def _draw_fits(axes: Axes, resolution: Resolution, points: Points) -> None:
    energy = np.geomspace(min(e for e, _ in points), max(e for e, _ in points), 100)
    for fit, colour in ((resolution.reference, BLACK), (resolution.generated, COLOUR)):
        axes.plot(energy, fit.width(energy), color=colour, lw=0.7, alpha=0.7)


def against_scale(
    main: Axes,
    ratio: Axes,
    points: Points,
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
