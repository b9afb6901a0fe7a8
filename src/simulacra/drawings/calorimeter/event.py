"""The display of one shower: its cells in space, and layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from simulacra.arrays import Array, FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.drawings import canvas
from simulacra.drawings.calorimeter.cells import cell_shapes
from simulacra.events import Events
from simulacra.particles import names_of
from simulacra.units import format_energy

MOST_LAYERS = 8
"""Layers that are drawn, those with the most energy."""
CONTAINED = 0.99
"""Part of the energy that the cells drawn in space hold, the hottest first."""
MOST_CELLS = 1500
"""Cells that are drawn in space."""
DECADES = 1e-4
"""The lowest energy of the colours over the highest."""
LEAST = 1e-3
"""The highest energy of the colours (MeV) in an empty shower."""
_GREEK = {"eta": r"$\eta$", "phi": r"$\phi$"}


def draw(events: Events) -> Figure:
    """Draw a shower in space and its layers with their cells; colours are energies in MeV."""
    detector = events.detector
    assert isinstance(detector, Calorimeter)
    shower = finite_energies(events["showers"][0])
    sums = [float(shower[layer.cells].sum()) for layer in detector.layers]
    shown = sorted(np.argsort(sums)[::-1][:MOST_LAYERS].tolist())
    figure, (space, *fronts) = canvas.panels(1 + len(shown), in_space=True)
    top = max(LEAST, float(shower.max()))
    image = draw_in_space(space, detector, shower, top)
    for axes, number in zip(fronts, shown, strict=True):
        _draw_layer(axes, detector, detector.layers[number], shower, top)
    figure.colorbar(image, ax=fronts, shrink=0.6, label="cell energy [MeV]")
    incident, total = (format_energy(float(e)) for e in (events["energy"][0], shower.sum()))
    who = names_of(events.particles) if len(events.particles) == 1 else "particle"
    some = len(detector.layers) - len(shown)
    more = f"; {some} layers with less energy are not drawn" if some else ""
    text = f"{who} of {incident} in {detector.name}: {total} in the cells{more}"
    figure.suptitle(text, fontsize=11)
    return figure


def finite_energies(cells: Array) -> FloatArray:
    """Return the energies of cells in MeV; those that are not finite or negative count as 0."""
    return np.clip(np.nan_to_num(cells.astype(np.float64), posinf=0.0, neginf=0.0), 0.0, None)


def _draw_layer(
    axes: Axes, detector: Calorimeter, layer: Layer, shower: FloatArray, top: float
) -> None:
    energies = shower[layer.cells]
    cells = PatchCollection(cell_shapes(layer), cmap="viridis_r", edgecolor="0.8", linewidth=0.3)
    cells.set_norm(LogNorm(DECADES * top, top))
    cells.set_array(np.ma.masked_less_equal(energies, 0.0))
    axes.add_collection(cells)
    x, y = (_GREEK.get(name, name) for name in detector.axes)
    title = f"{layer.name}: {format_energy(float(energies.sum()))}"
    canvas.frame(axes, title, f"{x} [mm]", f"{y} [mm]")
    axes.set_aspect("equal", adjustable="datalim")


def centres(layer: Layer) -> FloatArray:
    """Return depth, x and y (cells, 3) in mm; rings that are not divided are drawn upwards."""
    x, y = layer.x, layer.y
    if isinstance(layer.segmentation, PolarSegmentation) and layer.shape[0] == 1:
        edges = np.asarray(layer.segmentation.r_edges)
        x, y = np.zeros(layer.shape[1]), (edges[1:] + edges[:-1]) / 2
    return np.stack([np.full(len(x), layer.depth), x, y], axis=1)


def draw_in_space(
    axes: Any,  # noqa: ANN401 - matplotlib types its 3-D axes loosely
    detector: Calorimeter,
    shower: FloatArray,
    top: float,
) -> Any:  # noqa: ANN401
    """Draw the hottest cells of a shower as points, the larger the more energy.

    Args:
        axes: of three dimensions.
        detector: the calorimeter.
        shower: energies (cells,), MeV.
        top: the energy that has the darkest colour, MeV.

    Returns:
        What a colour bar is made of.
    """
    places = np.concatenate([centres(layer) for layer in detector.layers])
    hottest = np.argsort(shower)[::-1][:MOST_CELLS]
    held = np.cumsum(shower[hottest])
    count = int(np.searchsorted(held, CONTAINED * held[-1])) + 1 if held[-1] > 0 else 0
    chosen = hottest[:count]
    energy = shower[chosen]
    image = axes.scatter(
        *places[chosen].T,
        c=energy,
        s=4 + 60 * np.sqrt(energy / top),
        norm=LogNorm(DECADES * top, top),
        cmap="viridis_r",
        alpha=0.8,
        linewidths=0,
        depthshade=False,
    )
    names = ("depth", *(_GREEK.get(name, name) for name in detector.axes))
    for axis, column, name in zip("xyz", range(3), names, strict=True):
        low, high = float(places[:, column].min()), float(places[:, column].max())
        margin = 0.05 * (high - low) + 1e-6
        getattr(axes, f"set_{axis}lim")(low - margin, high + margin)
        getattr(axes, f"set_{axis}label")(f"{name} [mm]", labelpad=-2)
        axes.locator_params(axis=axis, nbins=6 if axis == "x" else 4)
    axes.tick_params(labelsize=7, pad=-1)
    axes.set_box_aspect((1.6, 1, 1), zoom=1.2)
    axes.view_init(elev=18, azim=-62)
    return image
