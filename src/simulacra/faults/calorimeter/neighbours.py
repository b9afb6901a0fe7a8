"""Energy that passes from cells to other cells of the same layer."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from simulacra.arrays import Array, IntArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation


def passed_on(energies: Array, given: Array, to: csr_array) -> Array:
    """Return energies (n, cells) after ``given`` (n, cells) went from each cell to others.

    Args:
        energies: MeV.
        given: the part of them that leaves its cell, MeV.
        to: the share of a cell's given energy (row) that each cell (column) receives.
    """
    received = np.asarray(given.astype(np.float64) @ to)
    passed: Array = energies.astype(np.float64) - given + received
    return passed


def shares_of_neighbours(detector: Calorimeter) -> csr_array:
    """Return equal shares for the neighbours of each cell with which it has a side in common.

    A cell without a neighbour keeps its energy.
    """
    pairs = np.concatenate([_sides(layer) for layer in detector.layers])
    both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    alone = np.setdiff1d(np.arange(detector.n_cells), both[:, 0])
    both = np.concatenate([both, np.stack([alone, alone], axis=1)])
    number = np.bincount(both[:, 0], minlength=detector.n_cells)
    return _matrix(detector, both, 1.0 / number[both[:, 0]])


def next_along(detector: Calorimeter, axis: int, step: int) -> csr_array:
    """Return the matrix that moves energy to the next cell along an axis; at the edge, nowhere.

    Args:
        detector: the calorimeter.
        axis: 0 or 1, of a layer's shape.
        step: 1 to the next cell, -1 to the one before.
    """
    pairs = np.concatenate(
        [_ahead(np.moveaxis(numbers_of(layer), axis, 0)[::step]) for layer in detector.layers]
    )
    return _matrix(detector, pairs, np.ones(len(pairs)))


def numbers_of(layer: Layer) -> IntArray:
    """Return the places of a layer's cells in the response, in the layer's shape."""
    numbers: IntArray = np.arange(layer.cells.start, layer.cells.stop).reshape(layer.shape)
    return numbers


def _sides(layer: Layer) -> IntArray:
    """Return the pairs (k, 2) of cells of a layer that have a side in common."""
    numbers = numbers_of(layer)
    parts = [_ahead(numbers), _ahead(numbers.T)]
    if isinstance(layer.segmentation, PolarSegmentation) and layer.shape[0] > 2:
        parts.append(np.stack([numbers[-1], numbers[0]], axis=1))
    return np.concatenate(parts)


def _ahead(numbers: IntArray) -> IntArray:
    """Return the pairs (k, 2) of cells and the next ones along the first axis."""
    return np.stack([numbers[:-1].ravel(), numbers[1:].ravel()], axis=1)


def _matrix(detector: Calorimeter, pairs: IntArray, weights: Array) -> csr_array:
    shape = (detector.n_cells, detector.n_cells)
    return coo_array((weights, (pairs[:, 0], pairs[:, 1])), shape=shape).tocsr()
