"""Events in files: one reader and writer per format, chosen by the file's ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.hdf5 import read_hdf5, write_hdf5


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is read and written."""

    endings: tuple[str, ...]
    read: Callable[[Path, Detector | None], Events]
    write: Callable[[Events, Path], None]


FORMATS = {"hdf5": Format((".h5", ".hdf5"), read_hdf5, write_hdf5)}


def format_of(path: Path) -> Format:
    """Return the format that a file's ending says.

    Raises:
        EventsError: no format has that ending.
    """
    for candidate in FORMATS.values():
        if path.suffix.lower() in candidate.endings:
            return candidate
    endings = ", ".join(ending for f in FORMATS.values() for ending in f.endings)
    msg = f"{path}: unknown kind of events file; endings known are {endings}"
    raise EventsError(msg)


def read_events(path: str | Path, detector: Detector | None = None) -> Events:
    """Read events from a file and check conditions and response.

    Args:
        path: the file; its ending says the format.
        detector: the detector, where the file does not carry it; otherwise they must agree.

    Raises:
        EventsError: the file cannot be used; the message says why.
    """
    path = Path(path)
    events = format_of(path).read(path, detector)
    try:
        events.check()
    except EventsError as error:
        msg = f"{path}: {error}"
        raise EventsError(msg) from None
    return events


def write_events(events: Events, path: str | Path) -> None:
    """Write events to a file; its ending says the format."""
    path = Path(path)
    format_of(path).write(events, path)


__all__ = ["FORMATS", "Format", "format_of", "read_events", "write_events"]
