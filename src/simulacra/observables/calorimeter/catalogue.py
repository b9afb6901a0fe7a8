"""The observables of a calorimeter as a table: names, labels, units and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation, PolarSegmentation
from simulacra.observables.calorimeter import energies as of
from simulacra.observables.calorimeter import windows
from simulacra.observables.calorimeter.showers import LayerShowers, Showers, ring_radii
from simulacra.observables.kinds import Lengths
from simulacra.observables.observable import Observable

LayerFunction = Callable[[LayerShowers, Showers], FloatArray]

STRIP_RATIO = 4
"""Cells that are at least as many times narrower than the reference cell are called strips."""
SAME_PLACE = 1e-9
"""Distance of cells in mm that is rounding, such as that of cosines of opposite sectors."""


@dataclass(frozen=True, slots=True)
class Row:
    """An observable of a layer before it is bound to one; ``axis`` where it is a length along it.

    In ``name`` and ``label``, ``{axis}`` stands for what the detector calls that axis.
    """

    name: str
    label: str
    unit: str
    function: LayerFunction
    axis: int | None = None


EVENT_ROWS = (
    Observable("response", r"$E_{tot} / E_{inc}$", "", of.response, "response", Showers),
    Observable("depth", r"$\langle z \rangle$", "mm", of.depth, "depth", Showers),
    Observable("depth_width", r"$\sigma_z$", "mm", of.depth_width, "depth_width", Showers),
)
ALONG_DEPTH = ("depth", "depth_width", "fraction")
"""What a single layer fixes: its depth, and that all energy is in it."""
ALONG_RADIUS = ("centre_r", "width_r")
"""What a single ring fixes."""
OF_CELLS = ("hottest_cells_ratio", "hottest_cell")
"""What a single cell fixes."""
LAYER_ROWS = (
    Row("layer_energy", r"$E$", "MeV", of.layer_energy),
    Row("fraction", r"$E_{layer} / E_{tot}$", "", of.fraction),
    *(
        Row(
            "centre_{axis}",
            r"$\langle {axis} \rangle - {axis}_{impact}$",
            "mm",
            partial(of.centre, axis=i),
            i,
        )
        for i in (0, 1)
    ),
    *(Row("width_{axis}", r"$w_{axis}$", "mm", partial(of.width, axis=i), i) for i in (0, 1)),
    Row(
        "hottest_cells_ratio",
        r"$(E_1 - E_2) / (E_1 + E_2)$, hottest cells",
        "",
        of.hottest_cells_ratio,
    ),
    Row("hottest_cell", r"$E_1 / E_{layer}$", "", of.hottest_cell),
    Row("sparsity", "sparsity", "", of.sparsity),
)
POLAR_ROWS = (
    Row("centre_r", r"$\langle r \rangle$", "mm", of.centre_r),
    Row("width_r", r"$w_r$", "mm", of.width_r),
)
POSITION_ROWS = tuple(
    Row("position_{axis}", r"$\langle {axis} \rangle$", "mm", partial(of.position, axis=i), i)
    for i in (0, 1)
)
"""Where the impact varies, the centre in the frame of the cluster is not that from the impact."""
CENTRAL_ROW = Row("central_{axis}", r"$E_{central\ {axis}} / E_{layer}$", "", of.central_rows, 1)
REFERENCE_ROWS = (
    Row(
        "r_eta",
        r"$R_\eta$ (3x7 / 7x7)",
        "",
        partial(windows.window_fraction, inner=(3, 7), outer=(7, 7)),
    ),
    Row(
        "r_phi",
        r"$R_\phi$ (3x3 / 3x7)",
        "",
        partial(windows.window_fraction, inner=(3, 3), outer=(3, 7)),
    ),
    Row("w_eta2", r"$w_{\eta 2}$ (3x5)", "cells", partial(windows.window_width, window=(3, 5))),
)
STRIP_ROWS = (
    Row("w_eta1", r"$w_{\eta 1}$ (3 strips)", "cells", partial(windows.strip_width, strips=3)),
    Row("w_stot", r"$w_{s\ tot}$ (20 strips)", "cells", partial(windows.strip_width, strips=20)),
    Row("e_ratio", r"$E_{ratio}$ (local maxima of strips)", "", windows.strip_energy_ratio),
    Row("delta_e", r"$\Delta E$ (local maxima of strips)", "MeV", windows.strip_energy_difference),
    Row("f_side", r"$f_{side}$ (7 and 3 strips)", "", windows.side_fraction),
)
_GREEK = {"eta": r"\eta", "phi": r"\phi"}


def calorimeter_observables(
    detector: Calorimeter, lengths: Lengths = "mm"
) -> tuple[Observable, ...]:
    """Return the observables of a calorimeter: whole event, then layer by layer.

    Args:
        detector: the calorimeter.
        lengths: the unit of centres and widths along x and y: mm, or cells of the layer (of the
            strips: strip units); polar layers, whose cells differ in size, stay in mm.
    """
    one_layer = len(detector.layers) == 1
    observables = [replace(o, fixed=one_layer and o.name in ALONG_DEPTH) for o in EVENT_ROWS]
    for layer in detector.layers:
        rows = _rows_of(detector, layer)
        observables += [_bound(row, detector, layer, lengths) for row in rows]
        for row in _shapes_of(detector, layer):
            function = partial(_of_layer, row.function, layer.name)
            observables.append(
                Observable(row.name, row.label, row.unit, function, row.name, Showers)
            )
    return tuple(observables)


def _rows_of(detector: Calorimeter, layer: Layer) -> Iterator[Row]:
    yield from LAYER_ROWS
    if not of.follows_line(layer):
        rows = zip(detector.axes, POSITION_ROWS, strict=True)
        yield from (row for axis, row in rows if axis in detector.declared_axes)
    if isinstance(layer.segmentation, PolarSegmentation):
        yield from POLAR_ROWS
    elif detector.reference_cell is not None and layer.shape[1] > 1 and layer.shape[1] % 2:
        yield CENTRAL_ROW


def _is_fixed(row: Row, detector: Calorimeter, layer: Layer) -> bool:
    """Return whether the read-out of a layer leaves nothing of an observable to the shower."""
    if row.axis is not None and row.unit == "mm":
        return bool(np.ptp((layer.x, layer.y)[row.axis]) <= SAME_PLACE)
    if row.name in ALONG_RADIUS:
        return bool(np.ptp(ring_radii(layer)) <= SAME_PLACE)
    if row.name in OF_CELLS:
        return len(layer.x) == 1
    return row.name in ALONG_DEPTH and len(detector.layers) == 1


def _bound(row: Row, detector: Calorimeter, layer: Layer, lengths: Lengths) -> Observable:
    function: Callable[[Showers], FloatArray] = partial(_of_layer, row.function, layer.name)
    group, label, segmentation = row.name, row.label, layer.segmentation
    if row.axis is not None:
        axis = detector.axes[row.axis]
        group = group.replace("{axis}", axis)
        label = label.replace("{axis}", f"{{{_GREEK.get(axis, axis)}}}")
    observable = Observable(
        f"{group}.{layer.name}",
        f"{label}, {layer.name}",
        row.unit,
        function,
        group,
        Showers,
        fixed=_is_fixed(row, detector, layer),
    )
    if lengths == "mm" or row.unit != "mm" or row.axis is None:
        return observable
    if not isinstance(segmentation, CartesianSegmentation):
        return observable
    scaled = partial(_scaled, function, segmentation.cell[row.axis])
    return replace(observable, unit="cells", function=scaled)


def _shapes_of(detector: Calorimeter, layer: Layer) -> tuple[Row, ...]:
    """Return ATLAS's shower shapes: those of its middle layer's window, or of strips."""
    reference = detector.reference_cell
    if reference is not None and layer.name == detector.reference:
        return REFERENCE_ROWS if layer.shape == (7, 7) else ()
    if reference is None or not isinstance(layer.segmentation, CartesianSegmentation):
        return ()
    narrow = layer.segmentation.cell[0] * STRIP_RATIO <= reference[0]
    return STRIP_ROWS if narrow else ()


def _of_layer(function: LayerFunction, name: str, showers: Showers) -> FloatArray:
    return function(showers[name], showers)


def _scaled(function: Callable[[Showers], FloatArray], size: float, showers: Showers) -> FloatArray:
    return function(showers) / size
