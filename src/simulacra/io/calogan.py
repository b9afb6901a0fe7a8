"""CaloGAN's HDF5 (arXiv:1705.02355): one image for each of three layers.

``energy`` (n, 1) in GeV; ``layer_0`` (n, 3, 96), ``layer_1`` (n, 12, 12) and ``layer_2`` (n, 12, 6)
in MeV, every deposit in lead and argon; ``overflow`` (n, 3), what fell beside the images, in MeV.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import opened, read_column, read_quantity
from simulacra.io.foreign import (
    energy_and_cells,
    energy_unit,
    foreign_events,
    named_or,
    require_equal_lengths,
    require_shape,
)
from simulacra.io.left_out import arrays_of, note_left_out, require_one_energy
from simulacra.io.plausibility import require_closure
from simulacra.io.writing import Arrays, created, write_arrays

KIND = "calogan"
CALOGAN = ("energy", "layer_0", "layer_1", "layer_2")
"""The arrays of such a file, but for the overflow."""
GEV = 1000.0
RESPONSE = (0.05, 2.0)
"""Lead counts as well as argon: from hadrons that leak out to electrons that stay."""


def read_calogan(
    path: Path, detector: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read events; the detector is ``calogan`` unless another one with such layers is given.

    The overflow is no cell of the read-out: it is left out. ``unit`` is that of energy and layers
    where they state none and the format's own do not hold.

    Raises:
        EventsError: a layer has other cells than the detector's, or energies do not close.
    """
    with opened(path) as file:
        calorimeter = named_or(detector, "calogan", KIND)
        if len(stored := [name for name in file if name.startswith("layer_")]) != len(
            calorimeter.layers
        ):
            msg = f"{len(stored)} layers, {calorimeter.name} has {len(calorimeter.layers)}"
            raise EventsError(msg)
        in_file = energy_unit(file, ("energy", *stored), unit, "GeV")
        energy = read_column(file, "energy", "MeV", rows, default=in_file).astype(np.float64)
        images = []
        for name, layer in zip(_names(calorimeter), calorimeter.layers, strict=True):
            image = read_quantity(file, name, "MeV", rows, default=unit)
            require_shape(name, image, layer.shape, calorimeter)
            images.append(image.reshape(-1, math.prod(layer.shape)))
        require_equal_lengths(energy=energy, **dict(zip(stored, images, strict=True)))
        cells = np.concatenate(images, axis=1)
        events = foreign_events(calorimeter, {"energy": energy}, cells, path, KIND)
        require_closure(energy, cells, RESPONSE)
        require_one_energy(file, "energy", energy, rows, in_file)
        note_left_out(file, arrays_of(file) - {"energy", *stored})
        return events


def write_calogan(pieces: Iterable[Events], n: int, path: Path) -> None:
    """Write one image for each layer, and no overflow, which the events do not know."""
    with created(path) as file:
        write_arrays(map(_arrays, pieces), n, file)


def _arrays(events: Events) -> Arrays:
    energy, cells = energy_and_cells(events, KIND)
    calorimeter = named_or(events.detector, "calogan", KIND)
    images = {
        name: (cells[:, layer.cells].reshape(-1, *layer.shape), "MeV")
        for name, layer in zip(_names(calorimeter), calorimeter.layers, strict=True)
    }
    return {"energy": (energy.astype(np.float64)[:, None] / GEV, "GeV"), **images}


def _names(detector: Calorimeter) -> list[str]:
    return [f"layer_{number}" for number in range(len(detector.layers))]
