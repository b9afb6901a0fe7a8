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
from simulacra.io.calochallenge import CALOCHALLENGE, read_calochallenge, write_calochallenge
from simulacra.io.calogan import CALOGAN, read_calogan, write_calogan
from simulacra.io.datasets import count_rows, holds, parse_rows
from simulacra.io.gan3d import GAN3D, read_3dgan
from simulacra.io.hdf5 import (
    count_hdf5,
    is_native,
    read_hdf5,
    regions_of,
    write_hdf5,
)
from simulacra.io.hdf5_tables import count_tables, read_tables
from simulacra.io.jets.jetnet import JETNET, read_jetnet
from simulacra.io.jets.lagan import LAGAN, read_lagan
from simulacra.io.mapped.mapping import Layout
from simulacra.io.par04 import PAR04, read_par04, write_par04
from simulacra.io.partners import open_partners
from simulacra.io.root import DEFAULT, count_root, is_root, read_root, write_root
from simulacra.io.strangers import describe_stranger

HDF5 = (".h5", ".hdf5")


Reader = Callable[[Path, Detector | None, slice, str | None], Events]
"""Reads some events of a file; the last argument is the unit of energies that states none."""
Writer = Callable[[Iterable[Events], int, Path], None]
"""Writes events that come in pieces, one or more, and how many these are in all."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is recognised, read and written.

    Attributes:
        endings: how its files are called; the first format with an ending is written by default.
        recognises: whether an existing file is of this kind.
        arrays: of HDF5 files of others, what lies at their top.
        count: how many events an existing file has.
        read: events from a file, given the detector (or None), a slice of events, and the unit of
            energies that the file does not state (or None).
        write: writes some number of events, which come in pieces, to a file; None where the format
            is only read.
    """

    endings: tuple[str, ...]
    recognises: Callable[[Path], bool]
    count: Callable[[Path], int]
    read: Reader
    write: Writer | None
    arrays: tuple[str, ...] = ()


def _read_root(
    path: Path,
    detector: Detector | None,
    rows: slice,
    unit: str | None,
    layout: Layout = DEFAULT,
) -> Events:
    if unit is not None:
        msg = f"{path}: in ROOT files units are stated for each column: --map energy=NAME:{unit}"
        raise EventsError(msg)
    return read_root(path, detector, rows, layout)


def _of_others(
    arrays: tuple[str, ...],
    read: Reader,
    write: Writer | None,
) -> Format:
    """Return a format of HDF5 files that is told by its arrays; the first has a row an event."""
    count = partial(count_rows, name=arrays[0])
    return Format(HDF5, lambda path: holds(path, *arrays), count, read, write, arrays)


FORMATS = {
    "hdf5": Format(HDF5, is_native, count_hdf5, read_hdf5, write_hdf5),
    "calochallenge": _of_others(CALOCHALLENGE, read_calochallenge, write_calochallenge),
    "par04": _of_others(PAR04, read_par04, write_par04),
    "calogan": _of_others(CALOGAN, read_calogan, write_calogan),
    "3dgan": _of_others(GAN3D, read_3dgan, None),
    "lagan": _of_others(LAGAN, read_lagan, None),
    "jetnet": _of_others(JETNET, read_jetnet, None),
    "root": Format((".root",), is_root, count_root, _read_root, write_root),
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
    needed = {name: kind.arrays for name, kind in FORMATS.items() if kind.arrays}
    found = describe_stranger(path, needed)
    msg = (
        f"{path}: not an events file of a known kind{'' if found else ' (truncated or damaged?)'}; "
        f"{f'{found}; ' if found else ''}kinds known are {', '.join(FORMATS)}"
    )
    raise EventsError(msg)


def read_events(
    path: str | Path,
    detector: Detector | None = None,
    rows: slice = slice(None),
    layout: Layout | None = None,
    unit: str | None = None,
) -> Events:
    """Read events from a file and check conditions and response.

    Args:
        path: the file; its content says the format.
        detector: the detector, where the file does not carry it; otherwise they must agree.
        rows: which events, so that a large file can be read piece by piece.
        layout: which tables and columns of a ROOT or HDF5 file hold what, if not named as ours.
        unit: of energies, such as ``GeV``, where the file does not state it.

    Raises:
        EventsError: the file cannot be used; the message says why.
    """
    path = Path(path)
    read, _ = _reader(path, layout)
    events = read(path, detector, rows, unit)
    with _named(path):
        events.check()
    return events


def _reader(path: Path, layout: Layout | None) -> tuple[Reader, Callable[[Path], int]]:
    """Return what reads a file and what counts its events.

    A layout may say what its trees and columns hold.

    Raises:
        EventsError: there is a layout, and the file is one of ours, or neither ROOT nor HDF5.
    """
    if layout is None or layout.is_default:
        kind = recognise(path)
        return FORMATS[kind].read, FORMATS[kind].count
    if not path.is_file() or not holds(path):
        kind = recognise(path)
        assert kind == "root"
        return partial(_read_root, layout=layout), partial(count_root, layout=layout)
    if is_native(path) or regions_of(path):
        msg = f"{path}: columns of files of others are mapped; this one is of ours and says them"
        raise EventsError(msg)
    return partial(read_tables, layout=layout), partial(count_tables, layout=layout)


class EventFile:
    """Events in a file, read piece by piece: for files that are larger than the memory.

    Numbers of the response that are not finite are read as they are, for whoever counts them.

    Args:
        path: the file; its content says the format.
        detector: the detector, where the file does not carry it; otherwise they must agree.
        unit: of energies, where the file does not state it.
        layout: which tables and columns of a ROOT or HDF5 file hold what, if not named as ours.

    Raises:
        EventsError: the file cannot be used; the message says why.
    """

    def __init__(
        self,
        path: str | Path,
        detector: Detector | None = None,
        unit: str | None = None,
        layout: Layout | None = None,
    ) -> None:
        self.path, self._unit = Path(path), unit
        self._read, count = _reader(self.path, layout)
        self._count = count(self.path)
        first = self._read(self.path, detector, slice(ROWS), unit)
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
        events = self._read(self.path, self._detector, index, self._unit)
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
    write_pieces([events], len(events), path, format_name)


def write_pieces(
    pieces: Iterable[Events], n: int, path: str | Path, format_name: str | None = None
) -> None:
    """Write ``n`` events that come in pieces, one or more, as they come: few are in memory at once.

    Args:
        pieces: the events.
        n: their number.
        path: the file, which appears whole or not at all.
        format_name: the format; None: what the file's ending says.

    Raises:
        EventsError: there is no such format, or it has no place for these events.
    """
    _writer(path, format_name)(pieces, n, Path(path))


def _writer(path: str | Path, format_name: str | None = None) -> Writer:
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
        write([Events(conditions, response, detector)], 0, Path(folder) / "none")


__all__ = [
    "FORMATS",
    "EventFile",
    "Format",
    "Layout",
    "format_of",
    "open_partners",
    "parse_rows",
    "read_events",
    "recognise",
    "require_writable",
    "write_events",
    "write_pieces",
]
