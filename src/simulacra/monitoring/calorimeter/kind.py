"""The cells of a calorimeter, as a monitor sees them."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.cell_numbers import cell_numbers, grid_of
from simulacra.drawings import canvas
from simulacra.drawings.calorimeter.cells import cell_shapes
from simulacra.events import Events
from simulacra.monitoring.channels import Channels, Watched

PLACE, CELL, LAYER = "place", "cell", "layer"
MOST_LAYERS = 9
"""Layers that are drawn."""
STRONG = 6.0
"""Deviation that has the darkest colour."""


def channels(events: Events) -> Channels:
    """Return hits, logarithms of cell energies, and cells by place, by detector cell and layer.

    A cell is hit above its layer's threshold. Groups called ``cell`` are cells that stand still in
    the detector, where the response is read out in a window around the impact.
    """
    detector = events.detector
    assert isinstance(detector, Calorimeter)
    showers = events["showers"].astype(np.float64)
    threshold = np.concatenate(
        [np.full(len(layer.x), layer.hit_threshold) for layer in detector.layers]
    )
    present = showers > threshold
    energy = np.log(np.where(present, showers, 1.0))
    layer_numbers = np.concatenate(
        [np.full(len(layer.x), i) for i, layer in enumerate(detector.layers)]
    )
    groupings: dict[str, IntArray] = {PLACE: np.arange(detector.n_cells)[None, :]}
    if _has_cells_of_its_own(detector):
        groupings[CELL] = _detector_cells(events, detector)
    groupings[LAYER] = layer_numbers[None, :]
    return Channels(present, {"energy": energy}, groupings)


def _has_cells_of_its_own(detector: Calorimeter) -> bool:
    """Return whether the places of the response differ from cells of the detector, all known."""
    return detector.has_windows and all(grid_of(detector, layer.name) for layer in detector.layers)


def _detector_cells(events: Events, detector: Calorimeter) -> IntArray:
    parts, first = [], 0
    for layer in detector.layers:
        parts.append(first + cell_numbers(detector, layer.name, events.conditions.columns))
        first += int(np.prod(grid_of(detector, layer.name) or (0, 0)))
    return np.concatenate(parts, axis=1)


def names(detector: Calorimeter) -> dict[str, tuple[str, ...]]:
    """Return the names of places ``middle[24]``, detector cells ``middle(8, 8)`` and layers."""
    layers = detector.layers
    found = {PLACE: tuple(f"{layer.name}[{i}]" for layer in layers for i in range(len(layer.x)))}
    if _has_cells_of_its_own(detector):
        found[CELL] = tuple(
            f"{layer.name}({a}, {b})"
            for layer in layers
            for a, b in np.ndindex(*(grid_of(detector, layer.name) or (0, 0)))
        )
    found[LAYER] = tuple(layer.name for layer in layers)
    return found


def draw(detector: Calorimeter, deviations: FloatArray) -> Figure:
    """Draw the deviation of each place of the response, layer by layer."""
    shown = detector.layers[:MOST_LAYERS]
    figure, axes_of_layers = canvas.panels(len(shown))
    for axes, layer in zip(axes_of_layers, shown, strict=True):
        cells = PatchCollection(cell_shapes(layer), cmap="RdBu_r", edgecolor="0.8", linewidth=0.3)
        cells.set_clim(-STRONG, STRONG)
        cells.set_array(deviations[layer.cells])
        axes.add_collection(cells)
        x, y = (f"{name} [mm]" for name in detector.axes)
        canvas.frame(axes, layer.name, x, y)
    figure.colorbar(cells, ax=axes_of_layers, shrink=0.6, label="deviation [standard errors]")
    return figure


WATCHED = Watched(channels, names, draw)
