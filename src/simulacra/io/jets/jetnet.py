"""JetNet's HDF5 (arXiv:2106.11535, Zenodo 6975118 and 6975117): jets as lists of particles.

``particle_features`` (n, 30 or 150, 4): eta and phi relative to the jet, transverse momentum over
the jet's, and a mask, 1 for a particle and 0 for a row that fills the list. ``jet_features``
(n, 4): transverse momentum, eta, mass, number of particles; momenta and masses in GeV. A fifth
column, the first or the last one, is the type; without it the file's name is: ``t.hdf5``.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Detector, JetImage, load_detector
from simulacra.detectors.jet_image import MASS, PROCESS, SCALE
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import opened, read_numbers, unit_in
from simulacra.io.foreign import require_equal_lengths
from simulacra.io.left_out import arrays_of, note_left_out
from simulacra.io.stated_units import factor_to
from simulacra.units import GEV

KIND = "jetnet"
JETNET = ("particle_features", "jet_features")
"""The arrays of such a file."""
TYPES = "gqtwz"
"""Gluon, light quark, top, W and Z: labels 0 to 4, as in the package of its authors."""
SUMS = (0.5, 1.2)
"""Of the momenta of a jet's hardest particles over its own, in the middle of a sample."""
MOMENTA = (10.0, 1e5)
"""GeV; a sample whose momenta lie elsewhere is in another unit, or normalised."""
LOST = 0.01
"""Part of the momentum beyond the image that is worth a word."""


def read_jetnet(
    path: Path, detector: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read jets; the detector is ``jetnet-30`` or ``jetnet-150`` unless another one is given.

    Images are drawn from the particles with the pixels of the detector. ``unit`` is that of momenta
    and masses where the file states none and they are not in GeV.

    Raises:
        EventsError: arrays have other shapes, are normalised or in another unit, the type of the
            jets is not stated, or images of the detector cannot be drawn from particles.

    Warns:
        UserWarning: of what the file does not state, and of what is left out.
    """
    with opened(path) as file:
        particles = read_numbers(file, "particle_features", rows)
        jets = read_numbers(file, "jet_features", rows)
        stated = unit_in(file, "jet_features")
        note_left_out(file, arrays_of(file) - {*JETNET})
    require_equal_lengths(particle_features=particles, jet_features=jets)
    image = _detector_of(detector, particles)
    label, numbers = _types(jets.astype(np.float64), path)
    to_gev = factor_to("MeV", stated or unit or "GeV", "jet_features") / GEV
    momentum, mass = numbers[:, 0] * to_gev, numbers[:, 2] * to_gev
    _require_momenta(momentum)
    constituents = _constituents(particles.astype(np.float64), momentum)
    images = image.images_of(constituents)
    _note_not_stated(path, stated or unit, images, constituents)
    columns = {
        PROCESS: label.astype(np.int32),
        SCALE: (momentum * GEV).astype(np.float32),
        MASS: (mass * GEV).astype(np.float32),
    }
    response = {"images": images, "constituents": constituents.astype(np.float32)}
    facts = {"converted_from": {"format": KIND, "file": path.name}}
    events = Events(Conditions(columns), response, image, facts)
    events.conditions.check(image)
    return events


def _detector_of(detector: Detector | None, particles: Array) -> JetImage:
    """Return the detector, whose list of constituents the particles (n, number, 4) fit."""
    if particles.ndim != 3 or particles.shape[2] != 4:
        msg = (
            f"particle_features has the shape {particles.shape}; (n, particles, 4) is needed: eta, "
            "phi, momentum, mask"
        )
        raise EventsError(msg)
    number = particles.shape[1]
    if detector is None and number not in (30, 150):
        msg = f"lists of {number} particles: name a detector with as many constituents (--detector)"
        raise EventsError(msg)
    image = load_detector(f"jetnet-{number}") if detector is None else detector
    if not isinstance(image, JetImage) or image.constituents != number:
        msg = f"{KIND} files with {number} particles a jet are no events of {image.name}"
        raise EventsError(msg)
    if image.turning != "none":
        msg = (
            f"images of {image.name} are turned by subjets, which a {KIND} file does not hold: "
            "give a detector with 'turning: none'"
        )
        raise EventsError(msg)
    return image


def _types(jets: FloatArray, path: Path) -> tuple[IntArray, FloatArray]:
    """Return the labels (n,) of jets, and their momentum, eta, mass and number (n, 4)."""
    if jets.ndim != 2 or jets.shape[1] not in (4, 5):
        msg = f"jet_features has the shape {jets.shape}; 4 or 5 columns are needed"
        raise EventsError(msg)
    if jets.shape[1] == 4:
        match = re.fullmatch(rf"([{TYPES}])(30|150)?", path.stem)
        if match is None:
            msg = (
                "the file does not state the type of its jets, neither as a fifth column nor by "
                f"its name: call it g.hdf5, q.hdf5, t.hdf5, w.hdf5 or z.hdf5, not {path.name}"
            )
            raise EventsError(msg)
        return np.full(len(jets), TYPES.index(match[1])), jets
    known = np.arange(len(TYPES))
    first, last = (bool(np.isin(jets[:, column], known).all()) for column in (0, 4))
    if first == last:
        msg = "neither the first nor the last column of jet_features alone holds types from 0 to 4"
        raise EventsError(msg)
    label, numbers = (jets[:, 0], jets[:, 1:]) if first else (jets[:, 4], jets[:, :4])
    return label.astype(np.int64), numbers


def _require_momenta(momentum: FloatArray) -> None:
    """Raise an :class:`EventsError` unless momenta (n,) can be in GeV."""
    middle = float(np.median(momentum)) if len(momentum) else 1e3
    if not MOMENTA[0] < middle < MOMENTA[1]:
        msg = (
            f"jets have a transverse momentum of {middle:.3g} GeV: another unit (--unit names it), "
            "or normalised"
        )
        raise EventsError(msg)


def _constituents(particles: FloatArray, momentum: FloatArray) -> FloatArray:
    """Return constituents (n, number, 4), the hardest first, momenta in GeV.

    Raises:
        EventsError: a mask or a momentum is none.
    """
    mask, share = particles[..., 3], particles[..., 2]
    if not np.isin(mask, (0.0, 1.0)).all():
        msg = "the mask of particle_features holds other numbers than 0 and 1: normalised?"
        raise EventsError(msg)
    share = share * mask
    middle = float(np.median(share.sum(axis=1))) if len(share) else 1.0
    if not SUMS[0] < middle < SUMS[1] or share.min(initial=0.0) < 0:
        msg = (
            f"momenta of the particles add up to {middle:.3g} of their jet's, the least is "
            f"{share.min(initial=0.0):.3g}: they are normalised, or not relative"
        )
        raise EventsError(msg)
    rows = np.stack([particles[..., 0], particles[..., 1], share, mask], axis=-1) * mask[..., None]
    rows[..., 2] *= momentum[:, None]
    hardest = np.argsort(-(rows[..., 2] + rows[..., 3]), axis=1, kind="stable")
    return np.take_along_axis(rows, hardest[..., None], axis=1)


def _note_not_stated(path: Path, unit: str | None, images: Array, constituents: FloatArray) -> None:
    """Warn of what the file does not state, what is left out, and what lies beyond the image."""
    taken = "" if unit else "; momenta and masses state no unit and are taken to be in GeV"
    msg = (
        f"{path}: eta and number of particles of the jets are left out; the file does not state "
        f"their azimuth and how they were made{taken}"
    )
    warnings.warn(msg, stacklevel=3)
    total = float(constituents[..., 2].sum())
    lost = 1 - float(images.sum(dtype=np.float64)) / total if total > 0 else 0.0
    if lost > LOST:
        msg = f"{path}: {lost:.1%} of the particles' momentum lies beyond the image"
        warnings.warn(msg, stacklevel=3)
