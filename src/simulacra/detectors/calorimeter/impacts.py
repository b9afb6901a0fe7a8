"""What the impacts of a file mean: positions in the detector, or offsets from a cell's middle.

Where cells are read out in windows, an impact is the offset from the middle of the reference cell.
Where they stand still it is a position. Earlier versions wrote offsets there, too, wherever the
detector has a reference cell; what is written now says so.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulacra.arrays import Array
from simulacra.detectors.base import Detector
from simulacra.detectors.calorimeter.calorimeter import Calorimeter
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation
from simulacra.errors import EventsError

IMPACTS = "impacts"
"""Where files and folders say what their impacts are."""
POSITIONS = "positions"
ROUNDING = 1e-6
"""Part of half a cell by which single precision may miss its edge."""


def impacts_of(detector: Detector) -> str:
    """Return what the impacts of a detector are: ``positions``, ``offsets`` or ``none``."""
    if not isinstance(detector, Calorimeter) or not detector.declared_axes:
        return "none"
    return "offsets" if detector.has_windows else POSITIONS


def why_offsets(said: str | None, detector: Detector) -> str:
    """Return why impacts must be taken for offsets; nothing where they need not.

    Args:
        said: what the file or folder says that they are; None: nothing, as earlier versions.
        detector: its detector.

    In the cell around the middle of the face an offset is the position.
    """
    if said is not None or impacts_of(detector) != POSITIONS:
        return ""
    assert isinstance(detector, Calorimeter)
    if detector.beam_in_middle_cell:
        return ""
    return (
        "its impacts are offsets from the middle of a cell; among cells that stand still they are "
        "positions now"
    )


def are_positions(detector: Detector, columns: Mapping[str, Array]) -> bool:
    """Return whether the impacts of events can be nothing but positions.

    They lie beyond half a cell, or there is no cell that they could be relative to.
    """
    assert isinstance(detector, Calorimeter)
    cell = _reference_cell(detector)
    if cell is None:
        return True
    halves = zip(detector.axes, cell, strict=True)
    return any(
        bool(np.any(np.abs(columns[f"impact_{axis}"]) > size / 2 * (1 + ROUNDING)))
        for axis, size in halves
        if f"impact_{axis}" in columns
    )


def require_positions(said: str | None, detector: Detector, columns: Mapping[str, Array]) -> None:
    """Raise an :class:`EventsError` where a file's impacts may be offsets, not positions.

    Args:
        said: what the file says that its impacts are; None: nothing, as earlier versions.
        detector: its detector.
        columns: the impacts of all events.
    """
    why = why_offsets(said, detector)
    if why and not are_positions(detector, columns):
        msg = (
            f"{why}: simulate it again, or, if they are positions, write that into the file as "
            f"{IMPACTS} = {POSITIONS!r}"
        )
        raise EventsError(msg)


def _reference_cell(detector: Calorimeter) -> tuple[float, float] | None:
    """Return the size (mm) of the cells that offsets were relative to; None where none were."""
    for section in detector.readout_sections:
        if section.name == detector.reference and section.readout is not None:
            cut = section.readout.segmentation
            return cut.cell if isinstance(cut, CartesianSegmentation) else None
    return None
