"""Showers layer by layer: what the observables of a calorimeter have in common, computed once.

Symbols: :math:`E_i` is the energy of cell i, :math:`x_i, y_i` its centre and :math:`r_i` the middle
of its ring in mm. Where a layer is empty, ratios, centres and widths are 0, as in CaloChallenge
(arXiv:2410.21611).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.events import Events

ROUNDING = 1e-13
"""Part of the second moment below which a variance is rounding: one hit cell has the width 0."""


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the quotient, 0 where the denominator is not positive, nan where either is."""
    filled = ~(denominator <= 0)  # not > so that nan stays so
    return np.where(filled, numerator / np.where(filled, denominator, 1.0), 0.0)


def spread(first: FloatArray, second: FloatArray, energy: FloatArray) -> FloatArray:
    """Return the standard deviation of sums ``first`` = sum(x E) and ``second`` = sum(x^2 E)."""
    square = ratio(second, energy)
    variance = square - ratio(first, energy) ** 2
    # not > so that what is not finite stays so
    return np.sqrt(np.where(variance <= ROUNDING * square, 0.0, variance))


def ring_radii(layer: Layer) -> FloatArray:
    """Return the radius (cells,) in mm of each cell of a polar layer: the middle of its ring."""
    assert isinstance(layer.segmentation, PolarSegmentation)
    edges = np.asarray(layer.segmentation.r_edges)
    return np.tile((edges[1:] + edges[:-1]) / 2, layer.segmentation.alpha)


class LayerShowers:
    """The cells of one layer, and sums over them.

    Every sum that is linear in the energies is a column of one matrix product: a pass over the
    cells costs more than the arithmetic.
    """

    def __init__(self, layer: Layer, events: Events) -> None:
        self.layer = layer
        self.events = events

    @cached_property
    def cells(self) -> FloatArray:
        """Energies (n, cells), MeV."""
        return self.events["showers"][:, self.layer.cells].astype(np.float64)

    @cached_property
    def grid(self) -> FloatArray:
        """Energies (n, x, y), MeV."""
        return self.cells.reshape(-1, *self.layer.shape)

    @cached_property
    def _sums(self) -> FloatArray:
        positions = [self.layer.x, self.layer.y]
        if self.is_polar:
            positions.append(ring_radii(self.layer))
        columns = [np.ones_like(self.layer.x)]
        for position in positions:
            columns += [position, position**2]
        product: FloatArray = self.cells @ np.stack(columns, axis=1)
        return product

    @property
    def is_polar(self) -> bool:
        """Whether the cells are sectors of rings."""
        return isinstance(self.layer.segmentation, PolarSegmentation)

    @property
    def energy(self) -> FloatArray:
        """Sum of the cells (n,), MeV."""
        return self._sums[:, 0]

    def first(self, axis: int) -> FloatArray:
        """Return sum(x E) (n,); axis 0 is x, 1 is y, 2 the radius of a polar layer."""
        return self._sums[:, 1 + 2 * axis]

    def second(self, axis: int) -> FloatArray:
        """Return sum(x^2 E) (n,), axes as in :meth:`first`."""
        return self._sums[:, 2 + 2 * axis]

    @cached_property
    def hottest(self) -> tuple[FloatArray, FloatArray]:
        """The largest and the second largest energy (n,); of a single cell, the second is 0."""
        if self.cells.shape[1] < 2:
            return self.cells[:, 0], np.zeros(len(self.cells))
        second, first = np.partition(self.cells, -2, axis=1)[:, -2:].T
        return first, second


class Showers:
    """All layers of some events."""

    def __init__(self, events: Events) -> None:
        assert isinstance(events.detector, Calorimeter)
        self.events = events
        self.detector = events.detector
        self._layers = {la.name: LayerShowers(la, events) for la in self.detector.layers}

    def __getitem__(self, name: str) -> LayerShowers:
        return self._layers[name]

    @cached_property
    def layer_energies(self) -> FloatArray:
        """Energy of each layer (n, layers), MeV."""
        return np.stack([layer.energy for layer in self._layers.values()], axis=1)

    @cached_property
    def total(self) -> FloatArray:
        """Sum over all cells (n,), MeV."""
        total: FloatArray = self.layer_energies.sum(axis=1)
        return total
