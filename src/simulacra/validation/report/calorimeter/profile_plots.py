"""Plots of the mean shower along and across its direction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from simulacra.detectors import Calorimeter
from simulacra.validation.calorimeter.cells import CellSums, Profile
from simulacra.validation.report.calorimeter.cell_plots import brightest
from simulacra.validation.report.canvas import (
    BLACK,
    COLOUR,
    FAST,
    FULL,
    Plot,
    finish,
    panels,
    ratio_axis,
)
from simulacra.validation.result import Validation


def longitudinal_profile(validation: Validation, full: CellSums, fast: CellSums) -> Iterator[Plot]:
    """Yield the mean energy of each layer over the incident energy, against its depth."""
    figure, ((main, ratio),) = panels(1, width=6.5, height=4.6)
    labels = [
        f"{title.split()[0]}: {_moments(validation, generated=title == FAST)}"
        for title in (FULL, FAST)
    ]
    _draw(main, ratio, full.longitudinal, fast.longitudinal, labels)
    main.set_yscale("log")
    main.set_ylabel(r"$\langle E_{layer} / E_{inc} \rangle$")
    main.legend()
    ratio.set_xlabel("depth [mm]")
    yield Plot(
        "longitudinal",
        "Along the shower",
        f"Mean energy of the {len(full.longitudinal.places)} layers over the incident energy, all "
        "energies together, with the errors of the mean; in the legend, the mean of each event's "
        "depth and of its width in depth.",
        finish(figure),
    )


def _moments(validation: Validation, *, generated: bool) -> str:
    texts = []
    for name, symbol in (("depth", r"$\langle z \rangle$"), ("depth_width", r"$\sigma_z$")):
        comparison = validation.pooled.comparisons.get(name)
        if comparison is not None:
            moments = comparison.generated if generated else comparison.reference
            texts.append(f"{symbol} = {moments.mean.value:.4g} mm")
    return ", ".join(texts)


def lateral_profiles(detector: Calorimeter, full: CellSums, fast: CellSums) -> Iterator[Plot]:
    """Yield the mean energy in the rows, columns or rings of cells, layer by layer."""
    layers = [
        layer.name
        for layer in brightest(detector.layers, full.share)
        if np.any(full.share[layer.cells] > 0)
    ]
    drawn = [(n, *p) for n in layers for p in zip(full.lateral[n], fast.lateral[n], strict=True)]
    if not drawn:
        return
    figure, pairs = panels(len(drawn))
    for (layer, first, second), (main, ratio) in zip(drawn, pairs, strict=True):
        _draw(main, ratio, first, second, [FULL, FAST])
        main.set_yscale("log")
        main.yaxis.set_minor_formatter(NullFormatter())
        main.set_ylabel(r"$\langle E / E_{inc} \rangle$")
        main.legend(title=layer, alignment="left")
        ratio.set_xlabel(f"{_GREEK.get(first.axis, first.axis)} [mm]")
    yield Plot(
        "lateral",
        "Across the shower",
        "Mean energy in each row of cells (each ring of round layers) over the incident energy, "
        "all energies together, around the centre of each layer's cells, with the errors of the "
        "mean.",
        finish(figure),
    )


def _draw(main: Axes, ratio: Axes, full: Profile, fast: Profile, labels: list[str]) -> None:
    x = full.places
    main.errorbar(x, full.mean, full.error, fmt="o-", color=BLACK, ms=3.5, lw=1, label=labels[0])
    main.errorbar(x, fast.mean, fast.error, fmt="s--", color=COLOUR, ms=3, lw=1, label=labels[1])
    safe = np.where(full.mean > 0, full.mean, np.nan)
    error = full.error / safe
    ratio.fill_between(x, 1 - error, 1 + error, color="0.5", alpha=0.25, lw=0)
    ratio.errorbar(x, fast.mean / safe, fast.error / safe, fmt="s", color=COLOUR, ms=3, lw=1)
    ratio_axis(ratio)


_GREEK = {"eta": r"$\eta$", "phi": r"$\phi$"}
