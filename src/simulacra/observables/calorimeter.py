"""Observables of calorimeters, each with its definition.

Symbols: :math:`E_i` is the energy of cell i, :math:`x_i, y_i, z_i` its centre in mm; sums run over
the cells of one layer unless said otherwise. Where a layer (or the event) is empty, ratios, centres
and widths are 0, as in CaloChallenge (arXiv:2410.21611).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.events import Events
from simulacra.observables.observable import Observable

HIT_THRESHOLD = 1.0
"""Energy in MeV above which a cell counts as hit: CaloChallenge's cut for dataset 1."""


def _cells(events: Events, layer: Layer) -> FloatArray:
    return events["showers"][:, layer.cells].astype(np.float64)


def _calorimeter(events: Events) -> Calorimeter:
    assert isinstance(events.detector, Calorimeter)
    return events.detector


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    filled = denominator > 0
    return np.where(filled, numerator / np.where(filled, denominator, 1.0), 0.0)


def total_energy(events: Events) -> FloatArray:
    """Return the sum over all cells, MeV."""
    total: FloatArray = events["showers"].sum(axis=1, dtype=np.float64)
    return total


def response(events: Events) -> FloatArray:
    """Return the total over the incident energy, E_tot / E_inc."""
    return total_energy(events) / events.conditions["energy"].astype(np.float64)


def depth(events: Events) -> FloatArray:
    """Return the mean depth sum(z E) / sum(E) over all cells, mm from the front."""
    depths = np.array([layer.depth for layer in _calorimeter(events).layers])
    return _ratio(_layer_energies(events) @ depths, total_energy(events))


def depth_width(events: Events) -> FloatArray:
    """Return the energy-weighted standard deviation of the depth over all cells, mm."""
    depths = np.array([layer.depth for layer in _calorimeter(events).layers])
    second = _ratio(_layer_energies(events) @ depths**2, total_energy(events))
    return np.sqrt(np.clip(second - depth(events) ** 2, 0.0, None))


def _layer_energies(events: Events) -> FloatArray:
    layers = _calorimeter(events).layers
    return np.stack([layer_energy(events, layer) for layer in layers], axis=1)


def layer_energy(events: Events, layer: Layer) -> FloatArray:
    """Return the energy of a layer, MeV."""
    energy: FloatArray = events["showers"][:, layer.cells].sum(axis=1, dtype=np.float64)
    return energy


def fraction(events: Events, layer: Layer) -> FloatArray:
    """Return the layer's part of the total, E_layer / E_tot (of the last layer: f_back)."""
    return _ratio(layer_energy(events, layer), total_energy(events))


def sparsity(events: Events, layer: Layer) -> FloatArray:
    """Return the fraction of cells at or below ``HIT_THRESHOLD``."""
    cells = events["showers"][:, layer.cells]
    empty: FloatArray = np.count_nonzero(cells <= HIT_THRESHOLD, axis=1) / cells.shape[1]
    return empty


def hottest_cell(events: Events, layer: Layer) -> FloatArray:
    """Return the largest cell's part of the layer, max(E) / E_layer."""
    return _ratio(_cells(events, layer).max(axis=1), layer_energy(events, layer))


def energy_ratio(events: Events, layer: Layer) -> FloatArray:
    """Return (E_1 - E_2) / (E_1 + E_2) of the two hottest cells: ATLAS's Eratio in the strips."""
    cells = _cells(events, layer)
    if cells.shape[1] < 2:
        return (cells[:, 0] > 0).astype(np.float64)
    second, first = np.partition(cells, -2, axis=1)[:, -2:].T
    return _ratio(first - second, first + second)


def _positions(events: Events, layer: Layer, axis: int) -> tuple[FloatArray, FloatArray]:
    """Return cell centres (cells,) and, per event, where their origin lies from the impact."""
    detector = _calorimeter(events)
    name = detector.axes[axis]
    offsets = detector.window_offset(layer, axis)
    alignment = f"alignment_{name}"
    if len(offsets) > 1:
        origin = offsets[events.conditions[alignment].astype(np.int64)]
    else:
        origin = np.full(len(events), offsets[0])
    if f"impact_{name}" in events.conditions.columns:
        origin = origin - events.conditions[f"impact_{name}"].astype(np.float64)
    return (layer.x, layer.y)[axis], origin


def centre(events: Events, layer: Layer, *, axis: int) -> FloatArray:
    """Return the centre of energy sum(x E) / sum(E) relative to the impact, mm."""
    position, origin = _positions(events, layer, axis)
    energy = layer_energy(events, layer)
    mean = _ratio(_cells(events, layer) @ position, energy)
    return np.where(energy > 0, mean + origin, 0.0)


def width(events: Events, layer: Layer, *, axis: int) -> FloatArray:
    """Return the energy-weighted standard deviation of x over the cells of a layer, mm.

    In units of cells this is ATLAS's w_eta1 (strips) and w_eta2 (middle), without their windows.
    """
    position = (layer.x, layer.y)[axis]
    cells, energy = _cells(events, layer), layer_energy(events, layer)
    mean = _ratio(cells @ position, energy)
    second = _ratio(cells @ position**2, energy)
    return np.sqrt(np.clip(second - mean**2, 0.0, None))


def window_fraction(
    events: Events, layer: Layer, *, inner: tuple[int, int], outer: tuple[int, int]
) -> FloatArray:
    """Return the energy of the central ``inner`` cells over that of the ``outer`` ones.

    ATLAS's R_eta is 3x7 / 7x7 and its R_phi 3x3 / 3x7 (eta x phi) in the middle layer.
    """
    grid = _cells(events, layer).reshape(-1, *layer.shape)
    return _ratio(_central(grid, inner), _central(grid, outer))


def _central(grid: FloatArray, size: tuple[int, int]) -> FloatArray:
    (nx, ny), (kx, ky) = grid.shape[1:], size
    x0, y0 = (nx - kx) // 2, (ny - ky) // 2
    central: NDArray[np.float64] = grid[:, x0 : x0 + kx, y0 : y0 + ky].sum(axis=(1, 2))
    return central


@dataclass(frozen=True, slots=True)
class _Row:
    """An observable before it is bound to a detector's layers."""

    name: str
    label: str
    unit: str
    function: Callable[..., FloatArray]


EVENT_ROWS = (
    _Row("response", r"$E_{tot} / E_{inc}$", "", response),
    _Row("depth", r"$\langle z \rangle$", "mm", depth),
    _Row("depth_width", r"$\sigma_z$", "mm", depth_width),
)
LAYER_ROWS = (
    _Row("layer_energy", r"$E$", "MeV", layer_energy),
    _Row("fraction", r"$E_{layer} / E_{tot}$", "", fraction),
    _Row(
        "centre_0", r"$\langle {axis} \rangle - {axis}_{{impact}}$", "mm", partial(centre, axis=0)
    ),
    _Row(
        "centre_1", r"$\langle {axis} \rangle - {axis}_{{impact}}$", "mm", partial(centre, axis=1)
    ),
    _Row("width_0", r"$w_{axis}$", "mm", partial(width, axis=0)),
    _Row("width_1", r"$w_{axis}$", "mm", partial(width, axis=1)),
    _Row("energy_ratio", r"$(E_1 - E_2) / (E_1 + E_2)$", "", energy_ratio),
    _Row("hottest_cell", r"$E_1 / E_{layer}$", "", hottest_cell),
    _Row("sparsity", "sparsity", "", sparsity),
)
REFERENCE_ROWS = (
    _Row(
        "r_eta", r"$R_\eta$ (3x7 / 7x7)", "", partial(window_fraction, inner=(3, 7), outer=(7, 7))
    ),
    _Row(
        "r_phi", r"$R_\phi$ (3x3 / 3x7)", "", partial(window_fraction, inner=(3, 3), outer=(3, 7))
    ),
)
_GREEK = {"eta": r"\eta", "phi": r"\phi"}


def calorimeter_observables(detector: Calorimeter) -> tuple[Observable, ...]:
    """Return the observables of a calorimeter: whole event, then layer by layer."""
    observables = [Observable(r.name, r.label, r.unit, r.function, r.name) for r in EVENT_ROWS]
    for layer in detector.layers:
        for row in LAYER_ROWS:
            label, group = row.label, row.name
            if group[-2:] in ("_0", "_1"):
                axis = detector.axes[int(group[-1])]
                label = label.replace("{{", "{").replace("}}", "}")
                label = label.replace("{axis}", f"{{{_GREEK.get(axis, axis)}}}")
                group = f"{group[:-2]}_{axis}"
            function = partial(_of_layer, row.function, layer.name)
            observables.append(
                Observable(
                    f"{group}.{layer.name}", f"{label}, {layer.name}", row.unit, function, group
                )
            )
        if layer.name == detector.reference and layer.shape == (7, 7):
            observables += [
                Observable(
                    r.name, r.label, r.unit, partial(_of_layer, r.function, layer.name), r.name
                )
                for r in REFERENCE_ROWS
            ]
    return tuple(observables)


def _of_layer(function: Callable[..., FloatArray], name: str, events: Events) -> FloatArray:
    layer = next(layer for layer in _calorimeter(events).layers if layer.name == name)
    return function(events, layer)
