"""What all drawings share: an empty figure, cells with their numbers, a legend of materials."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch

BEAM = "#c8102e"
PANEL = 4.2
"""Width and height of a panel, inches."""
MOST_NUMBERED = 64
"""Cells of a layer that all carry their number; of more, only those that show the order do."""


class Drawing(Figure):
    """A figure that a notebook shows, although matplotlib's global state does not have it."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def panels(
    count: int, most_columns: int = 3, *, in_space: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels, row by row; the first has three dimensions if ``in_space``."""
    columns = min(count, most_columns)
    rows = -(-count // columns)
    # the layout does not see the labels of axes in space
    layout = ConstrainedLayoutEngine(w_pad=0.2 if in_space else None)
    figure = Drawing(figsize=(PANEL * columns + 1.0, PANEL * rows), layout=layout)
    kinds = ["3d" if in_space and i == 0 else None for i in range(count)]
    return figure, [
        figure.add_subplot(rows, columns, i + 1, projection=kind) for i, kind in enumerate(kinds)
    ]


def colours(names: Iterable[str]) -> dict[str, tuple[float, float, float, float]]:
    """Return a pale colour for each name, in order of appearance."""
    unique = list(dict.fromkeys(names))
    palette = mpl.colormaps["Pastel1" if len(unique) <= 9 else "tab20"]
    return {name: palette(i % palette.N) for i, name in enumerate(unique)}


def material_legend(axes: Axes, shades: dict[str, tuple[float, float, float, float]]) -> None:
    """Say below the axes which colour is which material."""
    handles = [Patch(facecolor=c, edgecolor="0.6", label=name) for name, c in shades.items()]
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, fontsize=7
    )


def cells(axes: Axes, shapes: Sequence[Patch], first: int) -> None:
    """Fill cells in the shade of their place in the response: the first light, the last dark."""
    collection = PatchCollection(list(shapes), cmap="Blues", edgecolor="0.45", linewidth=0.4)
    collection.set_array(np.linspace(0.15, 0.75, len(shapes)))
    collection.set_clim(0, 1)
    axes.add_collection(collection)
    axes.set_title(f"cells {first} to {first + len(shapes) - 1}", fontsize=8, loc="right")


def numbers(axes: Axes, places: Iterable[tuple[float, float, int]]) -> None:
    """Write the numbers of cells in the response where they stand: (x, y, number)."""
    for x, y, number in places:
        axes.annotate(
            str(number),
            (x, y),
            ha="center",
            va="center",
            fontsize=6,
            bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.7},
        )


def corners(shape: tuple[int, int]) -> list[int]:
    """Return which cells of a layer carry their number.

    All, where they are few; else the first and last of the first row, the first of the second and
    of the last row, and the last: enough to see which index runs fastest, and in which direction.
    """
    count = shape[0] * shape[1]
    if count <= MOST_NUMBERED:
        return list(range(count))
    return sorted({0, shape[1] - 1, shape[1], count - shape[1], count - 1})


def frame(axes: Axes, title: str, xlabel: str, ylabel: str) -> None:
    """Give axes their title and labels, and limits around what they hold."""
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.autoscale_view()
