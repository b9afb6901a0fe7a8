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
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.validation.calorimeter.cells import DECADES, PER_DECADE, CellSums, Spectrum
from simulacra.validation.report.canvas import (
    FAST,
    FULL,
    Histogram,
    Plot,
    draw_histograms,
    finish,
    new_figure,
    panels,
)

MOST_LAYERS = 6
"""Layers whose maps are drawn."""
SHOWN_DECADES = 5
"""Orders of magnitude of the maps' colour scale."""
SPECTRUM_BINS = 50
TAIL = 0.001
"""Part of the cells with energy that may lie below the axis."""
FAINTEST = 1e-3
"""Lower end of the cell spectrum, MeV, at the lowest."""


def cell_maps(detector: Calorimeter, full: CellSums, fast: CellSums) -> Iterator[Plot]:
    """Yield the mean cell energy over the incident energy: full, fast and their ratio."""
    layers = brightest(detector.layers, full.share)
    figure = new_figure(10.5, 2.9 * len(layers), "constrained")
    grid = figure.subplots(len(layers), 3, squeeze=False)
    for row, layer in zip(grid, layers, strict=True):
        shares = full.share[layer.cells], fast.share[layer.cells]
        _draw_layer(figure, list(row), layer, detector.axes, *shares)
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


def brightest(layers: tuple[Layer, ...], mean: FloatArray) -> list[Layer]:
    """Return all layers, or evenly spaced ones up to where 99 % of the energy is contained."""
    if len(layers) <= MOST_LAYERS:
        return list(layers)
    energy = np.cumsum([mean[layer.cells].sum() for layer in layers])
    last = int(np.searchsorted(energy, 0.99 * energy[-1]))
    places = np.linspace(0, max(last, MOST_LAYERS - 1), MOST_LAYERS)
    return [layers[int(i)] for i in np.round(places).astype(int).clip(max=len(layers) - 1)]


@dataclass(frozen=True, slots=True)
class Mesh:
    """Corners (m + 1, n + 1) of the quadrilaterals that are drawn, and how often a row repeats."""

    x: FloatArray
    y: FloatArray
    repeat: int = 1

    def values(self, layer: Layer, cells: FloatArray) -> FloatArray:
        """Return the values (m, n) of the quadrilaterals from those of the cells."""
        return np.repeat(cells.reshape(layer.shape), self.repeat, axis=0)


def mesh_of(layer: Layer) -> Mesh:
    """Return the cells of a layer as quadrilaterals."""
    segmentation = layer.segmentation
    if isinstance(segmentation, PolarSegmentation):
        repeat = math.ceil(64 / segmentation.alpha)  # sectors with round edges
        angle = np.linspace(-np.pi, np.pi, segmentation.alpha * repeat + 1)
        radius = np.asarray(segmentation.r_edges)
        return Mesh(np.outer(np.cos(angle), radius), np.outer(np.sin(angle), radius), repeat)
    x, y = (v.reshape(layer.shape) for v in (layer.x, layer.y))
    edges = [
        np.append(centres - size / 2, centres[-1] + size / 2)
        for centres, size in zip((x[:, 0], y[0, :]), segmentation.cell, strict=True)
    ]
    return Mesh(*np.meshgrid(*edges, indexing="ij"))


def _draw_layer(
    figure: Figure,
    row: list[Axes],
    layer: Layer,
    names: tuple[str, str],
    full: FloatArray,
    fast: FloatArray,
) -> None:
    mesh = mesh_of(layer)
    top = max(float(full.max()), float(fast.max()), 1e-30)
    norm = LogNorm(10.0**-SHOWN_DECADES * top, top)
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


def cell_spectrum(full: Spectrum, fast: Spectrum) -> Iterator[Plot]:
    """Yield the spectrum of cell energies, both axes logarithmic."""
    filled = np.flatnonzero(full.counts)
    if not len(filled):
        return
    empty = [100 * (1 - spectrum.counts.sum() / spectrum.total) for spectrum in (full, fast)]
    below = np.searchsorted(np.cumsum(full.counts), TAIL * full.counts.sum(), side="right")
    low = max(int(below), math.floor((math.log10(FAINTEST) - DECADES[0]) * PER_DECADE))
    step = max(1, math.ceil((int(filled[-1]) + 1 - low) / SPECTRUM_BINS))
    edges = 10.0 ** (DECADES[0] + (low + step * np.arange(SPECTRUM_BINS + 1)) / PER_DECADE)
    figure, ((main, ratio),) = panels(1, width=6.5, height=4.6)
    draw_histograms(
        main, ratio, edges, *(_joined(spectrum, low, step) for spectrum in (full, fast))
    )
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


def _joined(spectrum: Spectrum, low: int, step: int) -> Histogram:
    """Join ``step`` bins each, from bin ``low`` on; the outer ones hold what lies beyond."""
    place = np.clip((np.arange(len(spectrum.counts)) - low) // step, 0, SPECTRUM_BINS - 1)
    counts = np.bincount(place, spectrum.counts, minlength=SPECTRUM_BINS).astype(np.float64)
    total = max(float(counts.sum()), 1.0)
    mean = spectrum.first / total
    return Histogram(counts, mean, math.sqrt(max(spectrum.second / total - mean**2, 0.0)))
