"""LAGAN's HDF5 (arXiv:1701.05927, Zenodo 269622): images of jets with their momentum and mass.

``image`` (n, rows, columns), ``signal`` (n,), 1 for W jets and 0 for QCD, ``jet_pt`` and
``jet_mass`` (n,), all in GeV. Columns go along eta and rows against phi, as the code of its authors
takes them. The unit is checked: the pixels of an image add up to about the momentum.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulacra.arrays import Array
from simulacra.conditions import Conditions
from simulacra.detectors import Detector, JetImage, load_detector
from simulacra.detectors.jet_image import MASS, PROCESS, SCALE
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import opened, read_numbers, read_quantity
from simulacra.io.foreign import require_equal_lengths, require_shape
from simulacra.io.left_out import arrays_of, note_left_out
from simulacra.units import GEV

KIND = "lagan"
LAGAN = ("image", "signal", "jet_pt", "jet_mass")
"""The arrays of such a file."""
SUMS = (0.7, 1.6)
"""Of the pixels over the momentum: an image that was turned by splines has up to a fifth more."""


def read_lagan(
    path: Path, detector: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read jets; the detector is ``jet-image`` unless another one of images alone is given.

    ``unit`` is that of momenta, masses and pixels where they state none and are not in GeV.

    Raises:
        EventsError: the image is not the detector's, a label is no process, or the pixels do not
            add up to the momentum.
    """
    image = load_detector("jet-image") if detector is None else detector
    if not isinstance(image, JetImage) or image.constituents:
        msg = f"{KIND} files hold images of jets alone, {image.name} is another detector"
        raise EventsError(msg)
    with opened(path) as file:
        given = unit or "GeV"
        pixels = read_quantity(file, "image", "GeV", rows, default=given)
        momentum, mass = (
            read_quantity(file, name, "MeV", rows, default=given) for name in ("jet_pt", "jet_mass")
        )
        signal = read_numbers(file, "signal", rows)
        note_left_out(file, arrays_of(file) - {*LAGAN})
    require_shape("image", pixels, (image.pixels, image.pixels), image)
    require_equal_lengths(image=pixels, signal=signal, jet_pt=momentum, jet_mass=mass)
    _require_momenta(pixels, momentum)
    columns = {
        PROCESS: signal.astype(np.int32),
        SCALE: momentum.astype(np.float32),
        MASS: mass.astype(np.float32),
    }
    if not np.array_equal(columns[PROCESS], signal):
        msg = "signal holds numbers that are no labels of processes"
        raise EventsError(msg)
    facts = {"converted_from": {"format": KIND, "file": path.name}}
    images = np.ascontiguousarray(pixels[:, ::-1].transpose(0, 2, 1))
    events = Events(Conditions(columns), {"images": images}, image, facts)
    events.conditions.check(image)
    return events


def _require_momenta(pixels: Array, momentum: Array) -> None:
    """Raise an :class:`EventsError` unless pixels (GeV) add up to about the momentum (MeV)."""
    share = GEV * pixels.sum(axis=(1, 2)) / np.maximum(momentum, 1e-9)
    middle = float(np.median(share)) if len(share) else 1.0
    if not SUMS[0] < middle < SUMS[1]:
        msg = (
            f"the pixels add up to {middle:.3g} of jet_pt: images of another unit, or normalised "
            "(--unit names that of both)"
        )
        raise EventsError(msg)
