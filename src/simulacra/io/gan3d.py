"""3DGAN's HDF5 (CLIC's calorimeter, arXiv:1912.06794): a cube of voxels for each particle.

``ECAL`` (n, x, y, z), visible energy in GeV: about 2 % of the incident energy, which is the second
column of ``target`` (n, k), also in GeV. The unit is checked against this sampling fraction.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from simulacra.arrays import Array
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import opened, range_of, read_quantity, unit_in
from simulacra.io.foreign import energy_unit, foreign_events, named_or, require_shape
from simulacra.io.left_out import arrays_of, note_left_out, require_one_energy
from simulacra.io.plausibility import require_closure, require_depth_last, require_stated_unit

KIND = "3dgan"
GAN3D = ("target", "ECAL")
"""The arrays of such a file."""
RESPONSE = (2e-3, 0.5)
"""A sampling calorimeter's visible part; 0.02 for 0.5 mm of silicon behind 3.4 mm of tungsten."""


def read_3dgan(
    path: Path, detector: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read events; the detector is ``clic-ecal`` unless another such stack of layers is given.

    ``unit`` is that of both arrays where they state none and are not in GeV.

    Raises:
        EventsError: the image is not the detector's, its depth is not the last axis, or its sum is
            no sampling fraction.
    """
    with opened(path) as file:
        calorimeter = named_or(detector, "clic-ecal", KIND)
        if unit is not None:
            energy_unit(file, ("target", "ECAL"), unit)
        images = read_quantity(file, "ECAL", "MeV", rows, default=unit or "GeV")
        target = read_quantity(file, "target", "MeV", default=unit or "GeV")
        if target.ndim != 2 or target.shape[1] < 2:
            msg = f"target is {target.shape}; its second column should be the energy in GeV"
            raise EventsError(msg)
        shapes = {layer.shape for layer in calorimeter.layers}
        shape = (*next(iter(shapes)), len(calorimeter.layers)) if len(shapes) == 1 else ()
        require_shape("ECAL", images, shape, calorimeter)
        require_depth_last(images)
        if unit is None and not any(unit_in(file, name) for name in ("target", "ECAL")):
            require_stated_unit(target[:, 1])
        energy = target[range_of(rows, len(target)), 1].astype(np.float64)
        cells = _layer_after_layer(images)
        events = foreign_events(calorimeter, {"energy": energy}, cells, path, KIND)
        require_closure(energy, cells, RESPONSE)
        require_one_energy(file, "target", energy, rows, unit or "GeV")
        note_left_out(file, arrays_of(file) - {"target", "ECAL"})
        return events


def _layer_after_layer(images: Array) -> Array:
    """Return (n, x, y, z) as flat cells, z slowest: the order of a stack of layers."""
    return np.moveaxis(images, -1, 1).reshape(-1, math.prod(images.shape[1:]))
