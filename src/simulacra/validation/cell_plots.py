"""Plots of a calorimeter's cells: mean maps side by side, and the spectrum of cell energies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.segmentation import PolarSegmentation
from simulacra.events import Events
from simulacra.validation.canvas import (
    FAST,
    FULL,
    Plot,
    draw_histograms,
    finish,
    new_figure,
    panels,
)
from simulacra.validation.group_plots import shared_events
from simulacra.validation.result import Validation

MOST_LAYERS = 6
"""Layers whose maps are drawn."""
DECADES = 5
"""Orders of magnitude of the maps' colour scale."""
SPECTRUM_BINS = 50
FAINTEST = 1e-3
"""Lower end of the cell spectrum, MeV, at the lowest."""


def cell_maps(validation: Validation, reference: Events, generated: Events) -> Iterator[Plot]:
    """Yield the mean cell energy over the incident energy: full, fast and their ratio."""
    shared = shared_events(validation, reference, generated)
    if shared is None:
        return
    detector = reference.detector
    assert isinstance(detector, Calorimeter)
    full, fast = (mean_share(events) for events in shared)
    layers = brightest(detector.layers, full)
    figure = new_figure(10.5, 2.9 * len(layers), "constrained")
    grid = figure.subplots(len(layers), 3, squeeze=False)
    for row, layer in zip(grid, layers, strict=True):
        _draw_layer(figure, list(row), layer, detector.axes, full[layer.cells], fast[layer.cells])
    for axes, title in zip(grid[0], (FULL, FAST, "fast / full"), strict=True):
        axes.annotate(
            title, (0.5, 1.03), xycoords="axes fraction", ha="center", va="bottom", fontsize=11
        )
    left = "" if len(layers) == len(detector.layers) else f" {len(layers)} layers are drawn."
    yield Plot(
        "cell-maps",
        "Mean showers",
        "Mean energy of each cell over the incident energy, all energies together, around the "
        f"centre of each layer's cells. White: no energy at all.{left}",
        finish(figure),
    )


def mean_share(events: Events) -> FloatArray:
    """Return the mean of E_cell / E_incident of each cell, finite cells only."""
    inverse = 1 / events.conditions["energy"].astype(np.float64)
    showers = np.nan_to_num(events["showers"], nan=0.0, posinf=0.0, neginf=0.0)
    mean: FloatArray = inverse @ showers / len(events)
    return mean


def brightest(layers: tuple[Layer, ...], mean: FloatArray) -> list[Layer]:
    """Return all layers, or evenly spaced ones up to where 99 % of the energy is contained."""
    if len(layers) <= MOST_LAYERS:
        return list(layers)
    energy = np.cumsum([mean[layer.cells].sum() for layer in layers])
    last = int(np.searchsorted(energy, 0.99 * energy[-1]))
    places = np.linspace(0, max(last, MOST_LAYERS - 1), MOST_LAYERS)
    return [layers[int(i)] for i in np.round(places).astype(int).clip(max=len(layers) - 1)]


@dataclass(frozen=True, slots=True)
class _Mesh:
    """Corners (m + 1, n + 1) of the quadrilaterals that are drawn, and how often a row repeats."""

    x: FloatArray
    y: FloatArray
    repeat: int = 1

    def values(self, layer: Layer, cells: FloatArray) -> FloatArray:
        return np.repeat(cells.reshape(layer.shape), self.repeat, axis=0)


def _mesh(layer: Layer) -> _Mesh:
    segmentation = layer.segmentation
    if isinstance(segmentation, PolarSegmentation):
        repeat = math.ceil(64 / segmentation.alpha)  # sectors with round edges
        angle = np.linspace(-np.pi, np.pi, segmentation.alpha * repeat + 1)
        radius = np.asarray(segmentation.r_edges)
        return _Mesh(np.outer(np.cos(angle), radius), np.outer(np.sin(angle), radius), repeat)
    x, y = (v.reshape(layer.shape) for v in (layer.x, layer.y))
    edges = [
        np.append(centres - size / 2, centres[-1] + size / 2)
        for centres, size in zip((x[:, 0], y[0, :]), segmentation.cell, strict=True)
    ]
    return _Mesh(*np.meshgrid(*edges, indexing="ij"))


def _draw_layer(
    figure: Figure,
    row: list[Axes],
    layer: Layer,
    names: tuple[str, str],
    full: FloatArray,
    fast: FloatArray,
) -> None:
    mesh = _mesh(layer)
    top = max(float(full.max()), float(fast.max()), 1e-30)
    norm = LogNorm(10.0**-DECADES * top, top)
    for axes, cells in zip(row[:2], (full, fast), strict=True):
        shown = np.ma.masked_less_equal(mesh.values(layer, cells), 0.0)
        image = axes.pcolormesh(mesh.x, mesh.y, shown, norm=norm, cmap="viridis")
    figure.colorbar(image, ax=row[:2], label=r"$\langle E_{cell} / E_{inc} \rangle$", pad=0.02)
    ratio = np.divide(fast, full, out=np.full_like(full, np.nan), where=full > 0)
    shown = np.ma.masked_invalid(mesh.values(layer, ratio))
    image = row[2].pcolormesh(mesh.x, mesh.y, shown, norm=Normalize(0, 2), cmap="RdBu_r")
    figure.colorbar(image, ax=row[2], extend="max", pad=0.02)
    for axes in row:
        polar = isinstance(layer.segmentation, PolarSegmentation)
        axes.set_aspect("equal" if polar else "auto")
        axes.set_xlabel(_axis(names[0]))
    row[0].set_ylabel(f"{layer.name}\n{_axis(names[1])}")


def _axis(name: str) -> str:
    greek = {"eta": r"$\eta$", "phi": r"$\phi$"}
    return f"{greek.get(name, name)} [mm]"


def cell_spectrum(validation: Validation, reference: Events, generated: Events) -> Iterator[Plot]:
    """Yield the spectrum of cell energies, both axes logarithmic."""
    shared = shared_events(validation, reference, generated)
    if shared is None:
        return
    full, fast = (_positive_cells(events) for events in shared)
    empty = [
        100 * (1 - len(cells) / events["showers"].size)
        for cells, events in zip((full, fast), shared, strict=True)
    ]
    if not len(full):
        return
    low = max(float(np.quantile(full, 0.001)), FAINTEST)
    edges = np.geomspace(low, max(float(full.max()), 1.001 * low) * 1.05, SPECTRUM_BINS + 1)
    figure, ((main, ratio),) = panels(1, width=6.5, height=4.6)
    draw_histograms(main, ratio, edges, full, fast)
    main.set_xscale("log")
    main.set_yscale("log")
    main.set_ylabel("share of cells with energy")
    main.legend(loc="lower left")
    ratio.set_xlabel("cell energy [MeV]")
    yield Plot(
        "cell-spectrum",
        "Cell energies",
        "Energies of all cells with energy, all events together. Cells without: "
        f"{empty[0]:.2f} % in full and {empty[1]:.2f} % in fast simulation. The first and last bin "
        "hold what lies beyond the axis.",
        finish(figure),
    )


def _positive_cells(events: Events) -> FloatArray:
    cells = events["showers"]
    return cells[np.isfinite(cells) & (cells > 0)].astype(np.float64)
