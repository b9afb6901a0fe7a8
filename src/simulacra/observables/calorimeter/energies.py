"""Observables of calorimeters: of the whole event and of each layer, with their definitions.

Sums run over the cells of one layer unless said otherwise; symbols are those of
:mod:`simulacra.observables.calorimeter.showers`.
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.observables.calorimeter.showers import LayerShowers, Showers, ratio, spread

# --- the whole event --------------------------------------------------------------------------


def response(showers: Showers) -> FloatArray:
    """Return the total over the incident energy, E_tot / E_inc."""
    return showers.total / showers.events.conditions["energy"].astype(np.float64)


def depth(showers: Showers) -> FloatArray:
    """Return the mean depth sum(z E) / sum(E) over all cells, mm from the front."""
    return ratio(showers.layer_energies @ _depths(showers), showers.total)


def depth_width(showers: Showers) -> FloatArray:
    """Return the energy-weighted standard deviation of the depth over all cells, mm."""
    energies, depths = showers.layer_energies, _depths(showers)
    return spread(energies @ depths, energies @ depths**2, showers.total)


def _depths(showers: Showers) -> FloatArray:
    return np.array([layer.depth for layer in showers.detector.layers])


# --- a layer ----------------------------------------------------------------------------------


def layer_energy(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return the energy of a layer, MeV."""
    del showers
    return layer.energy


def fraction(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return the layer's part of the total, E_layer / E_tot (of the last layer: f_back)."""
    return ratio(layer.energy, showers.total)


def centre(layer: LayerShowers, showers: Showers, *, axis: int) -> FloatArray:
    """Return the centre of energy sum(x E) / sum(E) relative to the impact, mm."""
    mean = ratio(layer.first(axis), layer.energy)
    return np.where(layer.energy <= 0, 0.0, mean + _origin(layer, showers, axis))


def position(layer: LayerShowers, showers: Showers, *, axis: int) -> FloatArray:
    """Return the centre of energy sum(x E) / sum(E) in the frame of the cluster, mm.

    Its origin is the centre of the reference cell, or the axis of cells that stand still.
    """
    mean = ratio(layer.first(axis), layer.energy)
    return np.where(layer.energy <= 0, 0.0, mean + _offset(layer, showers, axis))


def _offset(layer: LayerShowers, showers: Showers, axis: int) -> FloatArray:
    """Return where the origin of the layer's coordinates lies in the frame of the cluster (n,)."""
    detector, conditions = showers.detector, showers.events.conditions
    offsets = detector.window_offset(layer.layer, axis)
    if len(offsets) > 1:
        return offsets[conditions[f"alignment_{detector.axes[axis]}"].astype(np.int64)]
    return np.full(len(conditions), offsets[0])


def follows_line(layer: Layer) -> bool:
    """Return whether a layer's cells lie around the point where the particle's line crosses it."""
    segmentation = layer.segmentation
    return isinstance(segmentation, PolarSegmentation) and segmentation.squares is not None


def _origin(layer: LayerShowers, showers: Showers, axis: int) -> FloatArray:
    """Return where the origin of the layer's coordinates lies from the impact (n,), mm.

    Cells that follow the particle's line lie around it as they are.
    """
    detector, conditions = showers.detector, showers.events.conditions
    name = detector.axes[axis]
    origin = _offset(layer, showers, axis)
    moves = detector.has_windows or not follows_line(layer.layer)
    if f"impact_{name}" in conditions.columns and moves:
        origin = origin - conditions[f"impact_{name}"].astype(np.float64)
    return origin


def width(layer: LayerShowers, showers: Showers, *, axis: int) -> FloatArray:
    """Return the energy-weighted standard deviation of x over the cells of a layer, mm."""
    del showers
    return spread(layer.first(axis), layer.second(axis), layer.energy)


def centre_r(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return the mean radius sum(r E) / sum(E) of a polar layer, mm (CaloChallenge's EC_r)."""
    del showers
    return ratio(layer.first(2), layer.energy)


def width_r(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return the energy-weighted standard deviation of the radius of a polar layer, mm."""
    return width(layer, showers, axis=2)


def central_rows(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return the part of a layer's energy that lies in the central row along the second axis.

    In the read-out of the barrel a fraction in phi: the row that the photon points at.
    """
    del showers
    rows: FloatArray = layer.grid[:, :, layer.layer.shape[1] // 2].sum(axis=1)
    return ratio(rows, layer.energy)


def hottest_cells_ratio(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return (E_1 - E_2) / (E_1 + E_2) of the two hottest cells, mostly neighbours.

    CaloGAN (arXiv:1712.10321) calls it E_ratio; ATLAS's is :func:`windows.strip_energy_ratio`.
    """
    del showers
    first, second = layer.hottest
    return ratio(first - second, first + second)


def hottest_cell(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return the largest cell's part of the layer, max(E) / E_layer."""
    del showers
    return ratio(layer.hottest[0], layer.energy)


def sparsity(layer: LayerShowers, showers: Showers) -> FloatArray:
    """Return the fraction of cells at or below the layer's threshold of a hit, nan where one is."""
    del showers
    threshold, cells = layer.layer.hit_threshold, np.prod(layer.layer.shape)
    empty = np.count_nonzero(layer.cells <= threshold, axis=1) / cells
    return np.where(np.isnan(layer.energy), np.nan, empty)
