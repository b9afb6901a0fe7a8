"""The drawing of a calorimeter: matter along the beam, and the cells of each kind of layer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.beam import Beam, limits
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.drawings import canvas
from simulacra.drawings.calorimeter.cells import cell_shapes

MOST_GRIDS = 8
"""Kinds of layers whose cells are drawn; the title counts the others."""
MOST_SECTORS = 8
"""Sectors whose cells carry their numbers."""
LEGIBLE = 0.08
"""Part of the outer radius that a ring is wide at least, to carry a number."""
BEFORE = 0.12
"""Room in front of the stack for the beam, as a part of its depth."""


def draw(detector: Calorimeter) -> Figure:
    """Draw the stack from the side, and each kind of layer as the particle sees it."""
    grids = [list(group) for _, group in itertools.groupby(detector.layers, key=_cut)]
    shown = grids[:MOST_GRIDS]
    figure, (side, *fronts) = canvas.panels(1 + len(shown))
    _side_view(side, detector)
    for axes, layers in zip(fronts, shown, strict=True):
        _front_view(axes, detector, layers)
    left_out = len(grids) - len(shown)
    more = f"; {left_out} more kinds of layers are not drawn" if left_out else ""
    figure.suptitle(f"{detector.name}: {detector.n_cells} cells{more}", fontsize=11)
    return figure


def _cut(layer: Layer) -> tuple[tuple[int, int], str]:
    return layer.shape, layer.segmentation.model_dump_json()


# --- from the side --------------------------------------------------------------------------------


def _side_view(axes: Axes, detector: Calorimeter) -> None:
    low, high = _extent(detector)
    slabs = list(_slabs(detector))
    shades = canvas.colours(material for material, *_ in slabs)
    boxes = [Rectangle((z, low), thickness, high - low) for _, z, thickness in slabs]
    faces = [shades[material] for material, *_ in slabs]
    axes.add_collection(PatchCollection(boxes, facecolors=faces, edgecolors="none"))
    for name, start, stop in _read_out(detector):
        axes.add_patch(Rectangle((start, low), stop - start, high - low, fill=False, lw=0.6))
        axes.text(
            (start + stop) / 2, high, f" {name}", rotation=60, fontsize=6, ha="left", va="bottom"
        )
    _beam(axes, detector, low, high)
    canvas.frame(axes, "from the side", "depth z [mm]", f"{detector.axes[0]} [mm]")
    canvas.material_legend(axes, shades)


def _extent(detector: Calorimeter) -> tuple[float, float]:
    """Return the edges of the volume along the first axis, mm."""
    half, _ = detector.volume.half_width
    return -half, half


def _slabs(detector: Calorimeter) -> Iterator[tuple[str, float, float]]:
    """Yield the material, the front and the thickness (mm) of each slab."""
    z = 0.0
    for section in detector.stack:
        for _ in range(section.repeat):
            for slab in section.slabs:
                yield slab.material, z, slab.thickness
                z += slab.thickness


def _read_out(detector: Calorimeter) -> Iterator[tuple[str, float, float]]:
    """Yield the name, the front and the back (mm) of each section that is read out."""
    z = 0.0
    for section in detector.stack:
        if section.readout is not None:
            layers = f" ({section.repeat} layers)" if section.readout.each else ""
            yield section.name + layers, z, z + section.thickness
        z += section.thickness


def _beam(axes: Axes, detector: Calorimeter, low: float, high: float) -> None:
    """Draw the spot on the front face, and lines at the ends of the range of angles."""
    beam, room = detector.beam, BEFORE * detector.depth
    axes.plot([0, 0], limits(beam.x), color=canvas.BEAM, lw=3, solid_capstyle="butt")
    for place in sorted(set(limits(beam.x))):
        for rise in sorted(set(_rises(beam))):
            axes.annotate(
                "",
                (0, place),
                (-room, place - room * rise),
                arrowprops={"arrowstyle": "->", "color": canvas.BEAM, "lw": 1.0},
            )
            back = np.clip(place + detector.depth * rise, low, high)
            axes.plot([0, detector.depth], [place, back], color=canvas.BEAM, lw=0.5, ls=":")
    axes.plot([-room], [0], alpha=0)  # the view holds the arrows


def _rises(beam: Beam) -> tuple[float, float]:
    """Return the least and the greatest slope of particles, seen from the side."""
    low, high = limits(beam.phi)
    turns = np.arange(math.ceil(low / math.pi), math.floor(high / math.pi) + 1) * math.pi
    sides = np.cos([low, high, *turns])
    slopes = np.outer(np.tan(limits(beam.theta)), sides)
    return float(slopes.min()), float(slopes.max())


# --- from the front -------------------------------------------------------------------------------


def _front_view(axes: Axes, detector: Calorimeter, layers: Sequence[Layer]) -> None:
    layer = layers[0]
    first, last = layers[0].name, layers[-1].name
    title = first if len(layers) == 1 else f"{first} to {last}"
    canvas.cells(axes, cell_shapes(layer), layer.cells.start)
    canvas.numbers(axes, _numbered(layer))
    _beam_spot(axes, detector, layer)
    names = detector.axes
    frame = "around the particle" if _follows(layer) else "in the detector"
    canvas.frame(
        axes, title, f"{names[0]} [mm], {frame}\n{_order(layer, names)}", f"{names[1]} [mm]"
    )
    axes.set_aspect("equal", adjustable="datalim")


def _follows(layer: Layer) -> bool:
    """Return whether the cells lie around the impact rather than at a place of the detector."""
    cut = layer.segmentation
    return (cut.squares if isinstance(cut, PolarSegmentation) else cut.window) is not None


def _numbered(layer: Layer) -> Iterator[tuple[float, float, int]]:
    """Yield centres and numbers of the cells that show the order of a layer."""
    cut, start = layer.segmentation, layer.cells.start
    if not isinstance(cut, PolarSegmentation):
        for cell in canvas.corners(layer.shape):
            yield layer.x[cell], layer.y[cell], start + cell
        return
    rings = layer.shape[1]
    sectors = 1 if cut.alpha == 1 else min(cut.alpha, MOST_SECTORS)
    for sector in range(sectors):
        angle = -math.pi + 2 * math.pi * (sector + 0.5) / cut.alpha
        for ring, (inner, outer) in enumerate(itertools.pairwise(cut.r_edges)):
            if outer - inner >= LEGIBLE * cut.r_edges[-1]:
                radius = (inner + outer) / 2
                number = start + sector * rings + ring
                yield radius * math.cos(angle), radius * math.sin(angle), number


def _order(layer: Layer, axes: tuple[str, str]) -> str:
    """Return where a cell stands in the response, in words."""
    start, (_, fast) = layer.cells.start, layer.shape
    if isinstance(layer.segmentation, PolarSegmentation):
        return f"cell = {start} + {fast} · sector + ring; sector 0 begins at -π"
    return f"cell = {start} + {fast} · index in {axes[0]} + index in {axes[1]}"


def _beam_spot(axes: Axes, detector: Calorimeter, layer: Layer) -> None:
    """Draw the beam spot on cells that stand still, the particle's place on those that follow."""
    if _follows(layer):
        axes.plot([0], [0], marker="x", color=canvas.BEAM, ms=6, label="particle's cell")
    else:
        (x, x_end), (y, y_end) = limits(detector.beam.x), limits(detector.beam.y)
        spot = Rectangle((x, y), x_end - x, y_end - y, fill=False, ec=canvas.BEAM, lw=1.2)
        axes.add_patch(spot)
        axes.plot([(x + x_end) / 2], [(y + y_end) / 2], marker="+", color=canvas.BEAM, ms=6)
