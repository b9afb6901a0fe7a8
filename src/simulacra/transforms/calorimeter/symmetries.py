"""Which mirrors and turns leave a detector, its beam and its conditions as they are.

A stack of slabs has no handedness, and matter none either, whatever the particle. What can tell
left from right is the layout of the cells, the beam, and the conditions. ``mirror-x`` exchanges x
and -x in the detector, cells and conditions alike; ``turns`` turn an event about the depth axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np

from simulacra.arrays import IntArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.beam import limits, varies
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import CardError

TURNS = "turns"


class Flip(Enum):
    """What becomes of a condition in a mirror."""

    NEGATIVE = "-c"
    ALIGNMENT = "states - 1 - c"
    OPPOSITE_AZIMUTH = "-phi"
    OTHER_AZIMUTH = "pi - phi"


class Flipped(NamedTuple):
    """A condition that a mirror changes: its place among the conditions, and how."""

    column: int
    how: Flip


def mirror_of(detector: Calorimeter, axis: int) -> str:
    """Return the name of the mirror that turns an axis round: ``mirror-x``."""
    return f"mirror-{detector.axes[axis]}"


def allowed_symmetries(detector: Calorimeter) -> tuple[str, ...]:
    """Return the symmetries that detector, beam and conditions bear out.

    Whether the events of a sample do is for :mod:`simulacra.models.symmetries` to say.
    """
    names = [f"{kind}_{axis}" for kind in ("impact", "alignment") for axis in detector.axes]
    if not set(detector.conditions) <= {"energy", "pdg", "theta", "phi", *names}:
        return ()
    turns = _is_round(detector)
    found = [mirror_of(detector, axis) for axis in range(2) if _is_mirrored(detector, axis)]
    if turns:  # and turns, with one mirror, are all there is
        found = [TURNS, mirror_of(detector, 1)]
    return tuple(found)


def symmetries_or_earlier(detector: Calorimeter, given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the symmetries that a card names, or those that cards without any stand for.

    Raises:
        CardError: the detector does not have one of them.
    """
    if given is None:
        return _earlier(detector)
    allowed = {*allowed_symmetries(detector), *_earlier(detector)}
    if unknown := [name for name in given if name not in allowed]:
        has = ", ".join(sorted(allowed)) or "none"
        msg = f"symmetries: {detector.name}, its beam and conditions have {has}, not {unknown[0]}"
        raise CardError(msg)
    return tuple(given)


def _earlier(detector: Calorimeter) -> tuple[str, ...]:
    """Return what simulators use that do not say it."""
    given, found = set(detector.conditions), []
    understood = {"energy"} | {f"{k}_{a}" for k in ("impact", "alignment") for a in detector.axes}
    for axis, name in enumerate(detector.axes):
        if given <= understood and f"impact_{name}" in given and _windows_match(detector, axis):
            found.append(mirror_of(detector, axis))
    if all(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers):
        if given <= {"energy"} and detector.beam.is_straight:
            found.append(TURNS)
        if given <= {"energy", "theta"}:
            found.append(mirror_of(detector, 1))
    return tuple(found)


# --- mirrors -----------------------------------------------------------------------------------


def flipped_by(detector: Calorimeter, axis: int) -> tuple[Flipped, ...]:
    """Return the conditions that a mirror changes; the first tells the sides apart."""
    names, beside = list(detector.conditions), detector.axes[axis]
    changed = {f"impact_{beside}": Flip.NEGATIVE}
    if "phi" in names:
        changed["phi"] = (Flip.OTHER_AZIMUTH, Flip.OPPOSITE_AZIMUTH)[axis]
    elif axis == 0 and limits(detector.beam.phi) == (0.0, 0.0):
        changed["theta"] = Flip.NEGATIVE
    if detector.alignment_states[axis] > 1:
        changed[f"alignment_{beside}"] = Flip.ALIGNMENT
    return tuple(Flipped(names.index(name), how) for name, how in changed.items() if name in names)


def mirrored_cells(detector: Calorimeter, axis: int) -> IntArray:
    """Return which cell each cell becomes when an axis is turned round."""
    order = np.arange(detector.n_cells)
    for layer in detector.layers:
        cells = order[layer.cells].reshape(layer.shape)
        if not isinstance(layer.segmentation, PolarSegmentation):
            order[layer.cells] = np.flip(cells, axis).ravel()
        elif axis == 1:  # alpha to -alpha
            order[layer.cells] = np.flip(cells, 0).ravel()
        else:  # alpha to pi - alpha
            order[layer.cells] = np.roll(np.flip(cells, 0), layer.shape[0] // 2, axis=0).ravel()
    return order


def _is_mirrored(detector: Calorimeter, axis: int) -> bool:
    """Return whether a mirror leaves all as it is, and whether there is a use for it.

    Cells in rows are mirrored where a condition tells the sides apart; rings are in any case.
    """
    layers = detector.layers
    if not all(_has_mirror(layer, axis) for layer in layers) or not _windows_match(detector, axis):
        return False
    polar = all(isinstance(layer.segmentation, PolarSegmentation) for layer in layers)
    useful = polar or bool(flipped_by(detector, axis))
    return useful and _is_centred(detector, axis) and _has_mirrored_directions(detector, axis)


def _has_mirror(layer: Layer, axis: int) -> bool:
    sectors = layer.shape[0]
    polar = isinstance(layer.segmentation, PolarSegmentation)
    return not polar or axis == 1 or sectors == 1 or sectors % 2 == 0


def _windows_match(detector: Calorimeter, axis: int) -> bool:
    offsets = [detector.window_offset(layer, axis) for layer in detector.layers]
    return all(np.allclose(offset, -offset[::-1]) for offset in offsets)


def _is_centred(detector: Calorimeter, axis: int) -> bool:
    """Return whether the impact is a condition, or in the mirror's plane, or of no account."""
    law = (detector.beam.x, detector.beam.y)[axis]
    declared = detector.axes[axis] in detector.declared_axes
    return declared or not detector.stands_still or limits(law) == (0.0, 0.0)


def _has_mirrored_directions(detector: Calorimeter, axis: int) -> bool:
    beam = detector.beam
    if "phi" in detector.conditions:
        return True
    if "theta" not in detector.conditions and beam.is_straight:
        return True
    if varies(beam.phi):
        return False
    azimuth = limits(beam.phi)[0]
    if axis == 1:
        return math.isclose(math.sin(azimuth), 0.0, abs_tol=1e-9)
    if math.isclose(math.cos(azimuth), 0.0, abs_tol=1e-9):
        return True
    return azimuth == 0.0 and "theta" in detector.conditions


# --- turns -------------------------------------------------------------------------------------


def _is_round(detector: Calorimeter) -> bool:
    """Return whether rings lie around the line of particles that nothing but energy tells apart."""
    beam = detector.beam
    polar = all(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers)
    alike = set(detector.conditions) <= {"energy", "pdg"} and beam.is_straight
    on_axis = limits(beam.x) == limits(beam.y) == (0.0, 0.0)
    return polar and alike and (on_axis or not detector.stands_still)
