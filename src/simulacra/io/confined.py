"""HDF5 files that read nothing but themselves and files of their own folder.

External links, external storage and virtual data sets make HDF5 open any file of the user's: what
a stranger's file names would be read and copied as events.
"""

from __future__ import annotations

import os
from pathlib import Path

import h5py

from simulacra.errors import EventsError
from simulacra.io.heaps import require_finite_heaps

MOST_LINKS = 10_000
"""Names in a file; files of events have a few dozen."""
DEEPEST = 8
"""Files that lead to further files."""
MOST_LEVELS = 64
"""Groups in groups; each is looked for from the top, so that deep ones take long."""
MOST_FILES = 1000
"""Files that one file leads to."""


def require_confined(file: h5py.File) -> None:
    """Raise an :class:`EventsError` where an open file reads files outside its own folder.

    Files that it leads to inside the folder are looked into as well.
    """
    folder = Path(file.filename).parent.resolve()
    _follow(file, folder, {os.path.realpath(file.filename)}, 0)


def _follow(file: h5py.File, folder: Path, seen: set[str], depth: int) -> None:
    for path in _other_files(file, folder):
        if (real := os.path.realpath(path)) in seen or not path.is_file():
            continue
        seen.add(real)
        if depth == DEEPEST or len(seen) > MOST_FILES:
            msg = f"it leads through more than {DEEPEST} files, or to more than {MOST_FILES}"
            raise EventsError(msg)
        if h5py.is_hdf5(path):
            require_finite_heaps(path)
            with h5py.File(path, "r") as other:
                _follow(other, folder, seen, depth + 1)


def _other_files(file: h5py.File, folder: Path) -> list[Path]:
    """Return the HDF5 files that this one leads to; all lie in the folder.

    Raises:
        EventsError: one does not, or the file has more names than can be looked at.
    """
    found = []
    for name, kind in _links(file):
        if kind == h5py.h5l.TYPE_HARD:
            item = h5py.h5o.open(file.id, name)
            if isinstance(item, h5py.h5d.DatasetID):
                found += _sources(file, item, name.decode(errors="replace"), folder)
        elif kind == h5py.h5l.TYPE_EXTERNAL:
            target = os.fsdecode(file.id.links.get_val(name)[0])
            found.append(_inside(file, target, name.decode(errors="replace"), folder))
        elif kind != h5py.h5l.TYPE_SOFT:
            msg = f"{name.decode(errors='replace')} is a link of an unknown kind"
            raise EventsError(msg)
    return found


def _links(file: h5py.File) -> list[tuple[bytes, int]]:
    """Return the names below the top with the kinds of their links; each group once."""
    found: list[tuple[bytes, int]] = []

    def add(name: bytes, info: h5py.h5l.LinkInfo) -> bool | None:
        found.append((name, info.type))
        too_much = len(found) > MOST_LINKS or name.count(b"/") > MOST_LEVELS
        return True if too_much else None  # which ends the visit

    file.id.links.visit(add, info=True)
    if len(found) > MOST_LINKS:
        msg = f"it holds more than {MOST_LINKS} names"
        raise EventsError(msg)
    if found and found[-1][0].count(b"/") > MOST_LEVELS:
        msg = f"it holds groups in groups, more than {MOST_LEVELS} of them"
        raise EventsError(msg)
    return found


def _sources(file: h5py.File, item: h5py.h5d.DatasetID, name: str, folder: Path) -> list[Path]:
    """Return the HDF5 files that a data set is made of; its external storage is only checked."""
    layout = item.get_create_plist()
    for number in range(layout.get_external_count()):
        _inside(file, os.fsdecode(layout.get_external(number)[0]), name, folder, stored=True)
    if layout.get_layout() != h5py.h5d.VIRTUAL:
        return []
    count = layout.get_virtual_count()
    names = dict.fromkeys(layout.get_virtual_filename(number) for number in range(count))
    if pattern := next((source for source in names if "%" in source), ""):
        # HDF5 puts the numbers of blocks there
        msg = f"{name} is read from {pattern}: patterns of names are not followed"
        raise EventsError(msg)
    return [_inside(file, source, name, folder) for source in names if source != "."]


def _inside(file: h5py.File, target: str, name: str, folder: Path, *, stored: bool = False) -> Path:
    """Return the file that HDF5 takes for a name, which must lie in the folder.

    HDF5 looks beside the file and then where the process works; for external storage only there.
    """
    beside = Path(file.filename).parent / target
    places = [path for path in (beside, Path(target)) if os.path.lexists(path)] or [beside]
    for path in places if stored else places[:1]:
        if not path.resolve().is_relative_to(folder):
            msg = (
                f"{name} is read from {target}, outside the file's own folder: nothing is read "
                "from there; copy that file beside this one"
            )
            raise EventsError(msg)
    return places[0]
