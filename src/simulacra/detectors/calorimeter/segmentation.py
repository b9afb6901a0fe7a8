"""How one layer of a calorimeter is cut into cells.

A segmentation knows the cells of the whole layer (the *grid*, which full simulation scores) and
says where their centres are. Which cells are read out around the impact is the window's business
(:class:`simulacra.detectors.Calorimeter`).
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors.base import Frozen
from simulacra.units import Length

FEWEST_SQUARES = 10
"""Of how many squares the smallest cell must be, where cells are filled from squares."""


class CartesianSegmentation(Frozen):
    """Rectangular cells of ``cell`` = (x, y) millimetres that divide the layer evenly.

    ``window`` holds half widths (x, y) in mm: the cells are read out whose centre lies nearer than
    that to the centre of the reference cell. Without it the whole layer is read out.
    """

    kind: Literal["cartesian"]
    cell: tuple[Length, Length]
    window: tuple[Length, Length] | None = None

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if min(self.cell) <= 0 or (self.window is not None and min(self.window) <= 0):
            msg = "cell and window sizes must be positive"
            raise ValueError(msg)
        return self

    def grid(self, width: tuple[float, float]) -> tuple[int, int]:
        """Return the number of cells of a layer of ``width`` (x, y) mm.

        Raises:
            ValueError: the cells do not divide the layer evenly.
        """
        counts = []
        for size, cell in zip(width, self.cell, strict=True):
            count = round(size / cell)
            if count < 1 or abs(count * cell - size) > 1e-6 * size:
                msg = f"cells of {cell:g} mm do not divide a layer of {size:g} mm"
                raise ValueError(msg)
            counts.append(count)
        return counts[0], counts[1]


class PolarSegmentation(Frozen):
    """Rings of radius ``r_edges`` (mm, ascending) cut into ``alpha`` sectors from -pi to pi.

    The order of cells is CaloChallenge's: r runs fastest, then alpha.

    Attributes:
        scored: where given, the rings lie around the point in which the particle's line crosses
            the layer, wherever that is, and are filled from squares of this size in mm that Geant4
            scores. Otherwise they are volumes around the axis of the stack.
    """

    kind: Literal["polar"]
    r_edges: tuple[Length, ...] = Field(min_length=2)
    alpha: int = Field(ge=1)
    scored: Annotated[Length, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.r_edges[0] < 0 or np.any(np.diff(self.r_edges) <= 0):
            msg = "r_edges must ascend from a radius that is not negative"
            raise ValueError(msg)
        return self

    @property
    def squares(self) -> CartesianSegmentation | None:
        """What Geant4 scores, where the rings follow the particle."""
        if self.scored is None:
            return None
        return CartesianSegmentation(kind="cartesian", cell=(self.scored, self.scored))

    def cells_at(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Return the cell (n,) that points (n,), mm from the centre, lie in; -1 outside all."""
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        ring = np.searchsorted(self.r_edges, radius, side="right") - 1
        sector = np.floor((angle + np.pi) / (2 * np.pi) * self.alpha).astype(np.int64) % self.alpha
        rings = len(self.r_edges) - 1
        inside = (ring >= 0) & (ring < rings)
        cells: IntArray = np.where(inside, sector * rings + ring, -1)
        return cells

    @property
    def squares_per_cell(self) -> float:
        """How many squares make the area of the smallest cell: with few, neighbours are mixed."""
        if self.scored is None:
            return math.inf
        smallest = np.pi * np.diff(np.square(self.r_edges)).min() / self.alpha
        return float(smallest / self.scored**2)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells (alpha, r)."""
        return self.alpha, len(self.r_edges) - 1

    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x = r cos(alpha) and y = r sin(alpha) in mm of each cell, alpha-major."""
        edges = np.asarray(self.r_edges)
        radius = (edges[1:] + edges[:-1]) / 2
        angle = -np.pi + (np.arange(self.alpha) + 0.5) * 2 * np.pi / self.alpha
        if self.alpha == 1:  # a full ring is centred on the axis
            return np.zeros(len(radius)), np.zeros(len(radius))
        return np.outer(np.cos(angle), radius).ravel(), np.outer(np.sin(angle), radius).ravel()


Segmentation = Annotated[CartesianSegmentation | PolarSegmentation, Field(discriminator="kind")]
