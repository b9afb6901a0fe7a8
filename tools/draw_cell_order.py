"""Draw the order of cells of every kind of read-out into docs/images: tools/draw_cell_order.py.

Places and numbers are those of the detectors themselves, so that the pictures cannot be wrong.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle, Wedge

from simulacra.detectors import TPC, Calorimeter, load_detector, parse_detector
from simulacra.detectors.calorimeter.calorimeter import Layer

IMAGES = Path(__file__).parents[1] / "docs/images"
CARTESIAN = """
kind: calorimeter
name: cartesian
volume: {kind: box, width: [80 mm, 60 mm]}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: layer
    repeat: 2
    slabs: [{material: G4_Si, thickness: 1 mm, sensitive: true}]
    readout: {each: true, segmentation: {kind: cartesian, cell: [20 mm, 20 mm]}}
"""
UNEQUAL = (
    CARTESIAN.replace("cartesian\nvolume", "unequal\nvolume").replace("    repeat: 2\n", "")
    + """  - name: back
    slabs: [{material: G4_Si, thickness: 1 mm, sensitive: true}]
    readout: {segmentation: {kind: cartesian, cell: [40 mm, 60 mm]}}
"""
)
POLAR = """
kind: calorimeter
name: polar
volume: {kind: tube, radius: 30 mm}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: layer
    repeat: 2
    slabs: [{material: G4_Si, thickness: 1 mm, sensitive: true}]
    readout:
      each: true
      segmentation: {kind: polar, alpha: 6, r_edges: [0 mm, 10 mm, 20 mm, 30 mm]}
"""


def main() -> None:
    """Draw one picture for calorimeters, one for tracks and jets."""
    mpl.rcParams.update({"font.size": 8, "svg.hashsalt": "simulacra", "svg.fonttype": "none"})
    figure, axes = plt.subplots(2, 3, figsize=(9, 5.6))
    for row, (text, title) in enumerate(((CARTESIAN, "cartesian"), (POLAR, "polar"))):
        detector = _calorimeter(text)
        for column, layer in enumerate(detector.layers):
            _draw(axes[row, column], layer, f"{title}: {layer.name}")
    _draw(axes[0, 2], _calorimeter(UNEQUAL).layers[1], "cells that differ: the second layer")
    window = load_detector("atlas-barrel")
    assert isinstance(window, Calorimeter)
    _draw(axes[1, 2], window.layers[-1], "a window (atlas-barrel, back)")
    figure.tight_layout()
    _save(figure, "cell-order-calorimeter")
    _save(_rows_and_pixels(), "cell-order-tracks-and-jets")


def _calorimeter(text: str) -> Calorimeter:
    detector = parse_detector(text)
    assert isinstance(detector, Calorimeter)
    return detector


def _draw(axes: Axes, layer: Layer, title: str) -> None:
    """Write into each cell of a layer its place in the flat response."""
    segmentation = layer.segmentation
    polar = segmentation.kind == "polar"
    numbers = np.arange(layer.cells.start, layer.cells.stop)
    for number, x, y in zip(numbers, layer.x, layer.y, strict=True):
        if segmentation.kind == "polar":
            ring, radius = _ring(segmentation.r_edges, float(np.hypot(x, y)))
            half = 180 / segmentation.alpha
            angle = np.degrees(np.arctan2(y, x))
            axes.add_patch(
                Wedge((0, 0), ring[1], angle - half, angle + half, width=radius, fc="w", ec="0.5")
            )
        else:
            size = segmentation.cell
            corner = (x - size[0] / 2, y - size[1] / 2)
            axes.add_patch(Rectangle(corner, *size, fc="w", ec="0.5"))
        axes.text(x, y, str(number), ha="center", va="center")
    axes.plot(layer.x, layer.y, color="tab:blue", lw=0.8, alpha=0.5, zorder=1)
    axes.set_title(title + (": alpha, then r" if polar else ": x, then y"), fontsize=8)
    axes.set(xlabel="x [mm]", ylabel="y [mm]")
    axes.set_aspect("equal")
    axes.autoscale_view()


def _ring(edges: tuple[float, ...], radius: float) -> tuple[tuple[float, float], float]:
    """Return the edges of the ring that a radius lies in, and its width."""
    inner = max(edge for edge in edges if edge <= radius)
    outer = min(edge for edge in edges if edge > radius)
    return (inner, outer), outer - inner


def _rows_and_pixels() -> plt.Figure:
    """Draw the pad rows of a TPC and the pixels of a jet image."""
    figure, (rows, pixels) = plt.subplots(1, 2, figsize=(9, 3.2))
    chamber = load_detector("alice-tpc")
    assert isinstance(chamber, TPC)
    for number, radius in enumerate(chamber.row_radii[:4]):
        rows.add_patch(Wedge((0, 0), radius + 3.75, 70, 110, width=7.5, fc="w", ec="0.5"))
        rows.text(0, radius, str(number), ha="center", va="center")
    rows.set(xlim=(-25, 25), ylim=(846, 881), xlabel="x [mm]", ylabel="y [mm]")
    rows.set_title("clusters (n, rows, 5): row 0 is the innermost", fontsize=8)
    n = 5
    for i in range(n):
        for j in range(n):
            pixels.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fc="w", ec="0.5"))
            pixels.text(i, j, f"[{i}, {j}]", ha="center", va="center")
    pixels.set(xlim=(-0.5, n - 0.5), ylim=(-0.5, n - 0.5), xlabel="eta", ylabel="phi")
    pixels.set_title("images (n, pixels, pixels), here 5 x 5", fontsize=8)
    pixels.set_aspect("equal")
    figure.tight_layout()
    return figure


def _save(figure: plt.Figure, name: str) -> None:
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
