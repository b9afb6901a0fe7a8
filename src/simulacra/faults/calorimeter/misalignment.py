"""Cells that are not where they are taken to be."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import CardError
from simulacra.faults.calorimeter.neighbours import next_along, passed_on
from simulacra.faults.fault import Fault, Response, Subject


def misalignment(subject: Subject, axis: int) -> Response:
    """Return the response of cells that lie ``strength`` mm further along an axis than nominal.

    The energy of a cell is taken as uniform across it: the part of a cell that lies in front of its
    shifted neighbour goes there. What leaves the layer at its edge is lost.

    Raises:
        CardError: a struck layer is polar, or the shift exceeds a cell of it.
    """
    detector = subject.detector
    assert isinstance(detector, Calorimeter)
    showers = subject.response["showers"]
    share = np.zeros(detector.n_cells)
    for layer in detector.layers:
        if np.any(subject.where[:, layer.cells]):
            share[layer.cells] = abs(subject.strength) / _size(layer, axis, subject.strength)
    given = np.where(subject.where, share * showers.astype(np.float64), 0.0)
    step = -1 if subject.strength > 0 else 1
    return {"showers": passed_on(showers, given, next_along(detector, axis, step))}


def _size(layer: Layer, axis: int, shift: float) -> float:
    cut = layer.segmentation
    if isinstance(cut, PolarSegmentation):
        msg = f"misalignment: {layer.name} has polar cells; name layers of rectangular ones"
        raise CardError(msg)
    if abs(shift) > cut.cell[axis]:
        msg = f"misalignment: {abs(shift):g} mm is more than a cell of {layer.name}"
        raise CardError(msg)
    return cut.cell[axis]


MISALIGNMENT_X, MISALIGNMENT_Y = (
    Fault(
        f"layers lie further along the {which} axis than nominal, by at most a cell",
        "shift",
        "mm",
        partial(misalignment, axis=axis),
        low=-np.inf,
    )
    for axis, which in enumerate(("first", "second"))
)
