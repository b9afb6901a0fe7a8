"""Plots of what relates observables: to the impact, and to each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from simulacra.validation.calorimeter.impact import ImpactProfile
from simulacra.validation.compared import Compared
from simulacra.validation.kinds import kind_of
from simulacra.validation.report.canvas import (
    BLACK,
    COLOUR,
    FAST,
    FULL,
    Plot,
    finish,
    new_figure,
    panels,
)
from simulacra.validation.result import Validation, label_text

MOST_PROFILES = 12
MOST_LABELS = 60
"""Observables up to which a matrix names each row."""


def impact_plots(validation: Validation, _: Compared) -> Iterator[Plot]:
    """Yield the S shapes: centre of energy minus impact against the impact, layer by layer."""
    drawn = [p for p in validation.impact_profiles if p.ndf][:MOST_PROFILES]
    if not drawn:
        return
    figure, pairs = panels(len(drawn))
    for profile, (main, ratio) in zip(drawn, pairs, strict=True):
        _impact_panel(main, ratio, profile, validation.observables[profile.observable].label)
    yield Plot(
        "impact",
        "Against the impact",
        "Mean distance of each layer's centre of energy from the impact, against where in its "
        "cell the particle entered, all energies together. Coarse cells draw the centre to their "
        "middle: the S shape. Below, the difference in units of its error.",
        finish(figure),
    )


def _impact_panel(main: Axes, ratio: Axes, profile: ImpactProfile, label: str) -> None:
    middle = (profile.edges[1:] + profile.edges[:-1]) / 2
    main.errorbar(
        middle,
        profile.reference,
        profile.reference_error,
        fmt="o",
        color=BLACK,
        ms=3.5,
        lw=1,
        label=FULL,
    )
    main.errorbar(
        middle,
        profile.generated,
        profile.generated_error,
        fmt="s",
        color=COLOUR,
        ms=3,
        lw=1,
        label=FAST,
    )
    main.axhline(0, color=BLACK, lw=0.6)
    bottom, top = main.get_ylim()
    main.set_ylim(bottom, top + 0.45 * (top - bottom))  # room for the legend
    title = rf"$\chi^2$ / ndf = {profile.chi2:.3g} / {profile.ndf}"
    main.legend(loc="upper right", title=title, alignment="left", title_fontsize=8)
    main.set_ylabel(f"{label} [mm]")
    error = np.hypot(profile.reference_error, profile.generated_error)
    ratio.plot(middle, (profile.generated - profile.reference) / error, "s", color=COLOUR, ms=3)
    ratio.axhline(0, color=BLACK, lw=0.6)
    ratio.axhspan(-1, 1, color="0.5", alpha=0.25, lw=0)
    ratio.set_ylim(-5, 5)
    ratio.set_ylabel("pull")
    ratio.set_xlabel(f"{label_text(profile.condition)} [mm]")


def correlation_plots(validation: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield the matrices of correlation coefficients: full, fast, and their difference."""
    found = validation.correlations
    if found is None:
        return
    one = kind_of(compared.detector).scale.one
    named = len(found.names) <= MOST_LABELS
    figure = new_figure(15.5, 6.0 if named else 5.0, "constrained")
    grid = figure.subplots(1, 3, sharey=True)
    difference = found.generated - found.reference
    largest = max(0.1, float(np.abs(difference).max()))
    matrices = (
        (FULL, found.reference, 1.0),
        (FAST, found.generated, 1.0),
        ("fast - full", difference, largest),
    )
    for axes, (title, matrix, limit) in zip(grid, matrices, strict=True):
        norm = Normalize(-limit, limit)
        image = axes.imshow(matrix, norm=norm, cmap="RdBu_r", interpolation="nearest")
        if axes is not grid[0]:  # both samples share one bar
            beside = list(grid[:2]) if axes is grid[1] else axes
            figure.colorbar(image, ax=beside, pad=0.01, shrink=0.75)
        axes.set_title(title, fontsize=11)
        axes.tick_params(top=False, right=False, length=0, labelsize=6)
        places = range(len(found.names)) if named else []
        axes.set_xticks(places, [found.names[i] for i in places], rotation=90)
        axes.set_yticks(places, [found.names[i] for i in places])
    yield Plot(
        "correlations",
        "Correlations",
        f"Linear correlation coefficients at fixed {one} (at each {one} the observables are "
        "brought to mean 0 and deviation 1). Root mean square of the difference: "
        f"{found.rms_difference:.3f}, by chance {found.expected_rms:.3f}. Largest: "
        f"{found.worst_difference:+.2f} between {found.worst[0]} and {found.worst[1]}.",
        finish(figure),
    )
