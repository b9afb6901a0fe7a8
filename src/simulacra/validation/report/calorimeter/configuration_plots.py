"""Mean images of each configuration side by side, with their difference in units of its error."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from simulacra.detectors import Calorimeter, Layer
from simulacra.validation.calorimeter.configurations import (
    ConfigurationSum,
    Mean,
    compared_images,
    configurations,
)
from simulacra.validation.compared import Compared
from simulacra.validation.report.calorimeter.cell_plots import SHOWN_DECADES, brightest, mesh_of
from simulacra.validation.report.canvas import FAST, FULL, Plot, finish, new_figure
from simulacra.validation.result import Validation

MOST_SHOWN = 8
"""Configurations of a figure: the worst ones."""
MOST_PULL = 5.0


def configuration_plots(validation: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield a figure for each layer: full, fast and pull of each configuration."""
    detector = compared.detector
    assert isinstance(detector, Calorimeter)
    if not validation.configurations:
        return
    labels = [part.label for part in configurations(detector)]
    total = ConfigurationSum(compared.groups)
    full, fast = (sample.summed(total) for sample in (compared.full, compared.fast))
    mean = full.first.sum(axis=(0, 1, 2))
    for layer in brightest(detector.layers, mean / max(int(full.n.sum()), 1)):
        scores = {
            s.features.removesuffix(f": {layer.name}"): s
            for s in validation.configurations
            if s.features.endswith(f": {layer.name}")
        }
        shown = list(scores)[:MOST_SHOWN]
        if not shown:
            continue
        figure = new_figure(10.5, 2.0 * len(shown), "constrained")
        grid = figure.subplots(len(shown), 3, squeeze=False)
        for row, label in zip(grid, shown, strict=True):
            i = labels.index(label)
            images = compared_images(full.image(i), fast.image(i))
            assert images is not None  # it has a score
            _draw_row(list(row), layer, images)
            row[0].set_ylabel(label.replace(", ", "\n"), fontsize=8)
            row[2].annotate(
                f"χ²/ndf {scores[label].value:.2f}", (1.02, 0.5), xycoords="axes fraction"
            )
        for axes, title in zip(grid[0], (FULL, FAST, "(fast - full) / error"), strict=True):
            axes.set_title(title, fontsize=11)
        left = "" if len(shown) == len(scores) else f" {len(shown)} of {len(scores)}, the worst."
        yield Plot(
            f"configurations-{layer.name}",
            f"Mean images of each configuration, {layer.name}",
            "Mean energy of each cell over the incident energy, in the mixture of energies of full "
            f"simulation, logarithmic colours; right, the difference over its error, from "
            f"-{MOST_PULL:g} to {MOST_PULL:g}.{left}",
            finish(figure),
        )


def _draw_row(row: list[Axes], layer: Layer, images: tuple[Mean, Mean]) -> None:
    (full, full_error), (fast, fast_error) = (
        (mean[layer.cells], variance[layer.cells]) for mean, variance in images
    )
    mesh = mesh_of(layer)
    top = max(float(full.max()), float(fast.max()), 1e-30)
    norm = LogNorm(10.0**-SHOWN_DECADES * top, top)
    for axes, cells in zip(row[:2], (full, fast), strict=True):
        shown = np.ma.masked_less_equal(mesh.values(layer, cells), 0.0)
        axes.pcolormesh(mesh.x, mesh.y, shown, norm=norm, cmap="viridis")
    error = np.sqrt(full_error + fast_error)
    pull = np.divide(fast - full, error, out=np.full_like(full, np.nan), where=error > 0)
    shown = np.ma.masked_invalid(mesh.values(layer, pull))
    row[2].pcolormesh(mesh.x, mesh.y, shown, norm=Normalize(-MOST_PULL, MOST_PULL), cmap="RdBu_r")
    for axes in row:
        axes.tick_params(labelsize=7)
