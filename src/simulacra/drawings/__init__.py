"""Drawings of detectors (what stands where, cut into which cells, in which order) and of events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.detectors import Detector
from simulacra.drawings.kinds import EVENTS, KINDS
from simulacra.errors import EventsError, SimulacraError
from simulacra.events import Events
from simulacra.files.atomic import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110
FORMATS = {".png": "Software", ".svg": "Date", ".pdf": "CreationDate"}
"""Endings of the files that a drawing can be written to, and what is left out of each, so that
equal drawings are equal files."""


def draw_detector(detector: Detector) -> Figure:
    """Draw a detector: its matter, its cells in the order of the response, and its beam.

    Args:
        detector: a detector of any kind.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.
    """
    return KINDS[detector.kind](detector)


def draw_event(events: Events, event: int = 0) -> Figure:
    """Draw one event: a calorimeter's layers with their cells, or a track's clusters.

    Args:
        events: a sample of a detector of any kind.
        event: its place in the sample; negative ones count from the end.

    Raises:
        EventsError: there is no such event, or no display for this kind of detector.
    """
    if not -len(events) <= event < len(events):
        msg = f"no event {event} among {len(events)}"
        raise EventsError(msg)
    kind = events.detector.kind
    if kind not in EVENTS:
        msg = f"no display of events of detectors of kind {kind!r}"
        raise EventsError(msg)
    return EVENTS[kind](events[event])


def write_drawing(detector: Detector, path: str | Path) -> None:
    """Write the drawing of a detector to a PNG, SVG or PDF file.

    Raises:
        SimulacraError: the ending of the file is none of these.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in FORMATS:
        msg = f"{path}: a drawing is written to {', '.join(FORMATS)}"
        raise SimulacraError(msg)
    figure = draw_detector(detector)
    with whole_file(path) as part:
        figure.savefig(part, format=ending[1:], dpi=DPI, metadata={FORMATS[ending]: None})


__all__ = ["draw_detector", "draw_event", "write_drawing"]
