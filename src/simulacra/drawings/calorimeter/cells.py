"""The cells of a layer as shapes in its plane."""

from __future__ import annotations

from matplotlib.patches import Patch, Rectangle, Wedge

from simulacra.detectors import Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation


def cell_shapes(layer: Layer) -> list[Patch]:
    """Return the cells of a layer in the order of the response; sizes in mm."""
    cut = layer.segmentation
    if isinstance(cut, PolarSegmentation):
        step = 360 / cut.alpha
        rings = list(zip(cut.r_edges[:-1], cut.r_edges[1:], strict=True))
        return [
            Wedge((0, 0), outer, -180 + step * i, -180 + step * (i + 1), width=outer - inner)
            for i in range(cut.alpha)
            for inner, outer in rings
        ]
    a, b = cut.cell
    return [Rectangle((x - a / 2, y - b / 2), a, b) for x, y in zip(layer.x, layer.y, strict=True)]
