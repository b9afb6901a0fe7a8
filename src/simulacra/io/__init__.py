"""Events in files: one reader and writer per format; what a file holds says which one it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import ROWS, Events
from simulacra.io.calochallenge import is_calochallenge, read_calochallenge, write_calochallenge
from simulacra.io.calogan import is_calogan, read_calogan, write_calogan
from simulacra.io.datasets import count_rows, parse_rows
from simulacra.io.gan3d import is_3dgan, read_3dgan
from simulacra.io.hdf5 import (
    ENERGY_DATASET,
    count_hdf5,
    is_native,
    read_hdf5,
    regions_of,
    write_hdf5,
    write_hdf5_pieces,
)
from simulacra.io.par04 import is_par04, read_par04, write_par04
from simulacra.io.root import count_root, is_root, read_root, write_root

HDF5 = (".h5", ".hdf5")


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is recognised, read and written.

    Attributes:
        endings: how its files are called; the first format with an ending is written by default.
        recognises: whether an existing file is of this kind.
        count: how many events an existing file has.
        read: events from a file, given the detector (or None) and a slice of events.
        write: None where the format is only read.
        write_pieces: for events that come in pieces, where the format takes them as they come.
    """

    endings: tuple[str, ...]
    recognises: Callable[[Path], bool]
    count: Callable[[Path], int]
    read: Callable[[Path, Detector | None, slice], Events]
    write: Callable[[Events, Path], None] | None
    write_pieces: Callable[[Iterable[Events], int, Path], None] | None = None


def _rows_of(name: str) -> Callable[[Path], int]:
    return partial(count_rows, name=name)


FORMATS = {
    "hdf5": Format(HDF5, is_native, count_hdf5, read_hdf5, write_hdf5, write_hdf5_pieces),
    "calochallenge": Format(
        HDF5, is_calochallenge, _rows_of(ENERGY_DATASET), read_calochallenge, write_calochallenge
    ),
    "par04": Format(HDF5, is_par04, _rows_of("incident_energy"), read_par04, write_par04),
    "calogan": Format(HDF5, is_calogan, _rows_of("energy"), read_calogan, write_calogan),
    "3dgan": Format(HDF5, is_3dgan, _rows_of("target"), read_3dgan, None),
    "root": Format((".root",), is_root, count_root, read_root, write_root),
}


def format_of(path: Path, name: str | None = None) -> Format:
    """Return the format to write: the named one, or else what the file's ending says.

    Raises:
        EventsError: no format has that name or ending, or it cannot be written.
    """
    if name is not None and name not in FORMATS:
        msg = f"no format {name!r}; there are {', '.join(FORMATS)}"
        raise EventsError(msg)
    for key, candidate in FORMATS.items():
        if key == name or (name is None and path.suffix.lower() in candidate.endings):
            if candidate.write is None:
                msg = f"{key} files are read, not written"
                raise EventsError(msg)
            return candidate
    endings = ", ".join(dict.fromkeys(ending for f in FORMATS.values() for ending in f.endings))
    msg = f"{path}: unknown kind of events file; endings known are {endings}"
    raise EventsError(msg)


def recognise(path: Path) -> str:
    """Return the name of the format that a file's content has.

    Raises:
        EventsError: the file is missing, damaged, of no known kind, or holds several samples.
    """
    if not path.is_file():
        msg = f"no events file {path}"
        raise EventsError(msg)
    for name, candidate in FORMATS.items():
        if candidate.recognises(path):
            return name
    if regions := regions_of(path):
        msg = (
            f"{path}: a hybrid run of several regions ({', '.join(regions)}); take one: in Python, "
            f"write_events(read_hybrid({path.name!r}).regions[{regions[0]!r}], "
            f"'{regions[0]}.h5') (docs/hybrid.md)"
        )
        raise EventsError(msg)
    msg = (
        f"{path}: not an events file of a known kind (truncated or damaged?); "
        f"kinds known are {', '.join(FORMATS)}"
    )
    raise EventsError(msg)


def read_events(
    path: str | Path, detector: Detector | None = None, rows: slice = slice(None)
) -> Events:
    """Read events from a file and check conditions and response.

    Args:
        path: the file; its content says the format.
        detector: the detector, where the file does not carry it; otherwise they must agree.
        rows: which events, so that a large file can be read piece by piece.

    Raises:
        EventsError: the file cannot be used; the message says why.
    """
    path = Path(path)
    events = FORMATS[recognise(path)].read(path, detector, rows)
    with _named(path):
        events.check()
    return events


class EventFile:
    """Events in a file, read piece by piece: for files that are larger than the memory.

    Numbers of the response that are not finite are read as they are, for whoever counts them.

    Args:
        path: the file; its content says the format.
        detector: the detector, where the file does not carry it; otherwise they must agree.

    Raises:
        EventsError: the file cannot be used; the message says why.
    """

    def __init__(self, path: str | Path, detector: Detector | None = None) -> None:
        self.path = Path(path)
        self._format = FORMATS[recognise(self.path)]
        self._count = self._format.count(self.path)
        first = self._format.read(self.path, detector, slice(ROWS))
        self._detector, self._provenance = first.detector, first.provenance

    @property
    def detector(self) -> Detector:
        """The detector."""
        return self._detector

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the events were made."""
        return self._provenance

    def __len__(self) -> int:
        return self._count

    def take(self, index: slice) -> Events:
        """Return some events, one after another.

        Raises:
            EventsError: they cannot be used; the message says why.
        """
        events = self._format.read(self.path, self._detector, index)
        with _named(self.path):
            events.conditions.check(events.detector)
        return events


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say the file's name in errors of the block."""
    try:
        yield
    except EventsError as error:
        msg = f"{path}: {error}"
        raise EventsError(msg) from None


def write_events(events: Events, path: str | Path, format_name: str | None = None) -> None:
    """Write events to a file; ``format_name`` or the file's ending says the format.

    Raises:
        EventsError: there is no such format, or it has no place for these events.
    """
    _writer(path, format_name)(events, Path(path))


def write_pieces(pieces: Iterable[Events], n: int, path: str | Path) -> None:
    """Write ``n`` events that come in pieces, one or more; the file's ending says the format.

    Where the format takes events as they come, few of them are in memory at once.

    Raises:
        EventsError: there is no such format, or it has no place for these events.
    """
    path = Path(path)
    chosen = format_of(path)
    if chosen.write_pieces is None:
        write_events(Events.concatenate(list(pieces)), path)
    else:
        chosen.write_pieces(pieces, n, path)


def _writer(path: str | Path, format_name: str | None = None) -> Callable[[Events, Path], None]:
    write = format_of(Path(path), format_name).write
    assert write is not None
    return write


def require_writable(detector: Detector, path: str | Path) -> None:
    """Raise what :func:`write_events` would raise for events of a detector, before there are any.

    Raises:
        EventsError: the file's ending says no format, or one without a place for such events.
        MissingDependencyError: what writes the format is not installed.
    """
    write = _writer(path)
    conditions = Conditions({name: np.empty(0) for name in detector.conditions})
    response = {
        name: np.empty((0, *array.shape)) for name, array in detector.response_arrays.items()
    }
    with TemporaryDirectory() as folder:
        write(Events(conditions, response, detector), Path(folder) / "none")


__all__ = [
    "FORMATS",
    "EventFile",
    "Format",
    "format_of",
    "parse_rows",
    "read_events",
    "recognise",
    "require_writable",
    "write_events",
    "write_pieces",
]
