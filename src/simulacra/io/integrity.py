"""Whether the numbers of an HDF5 data set were ever written: HDF5 reads the rest as fill values.

A chunk that no program wrote, a virtual data set whose source is gone, a source that is shorter
than its mapping and an external file that ends early all read as zeros, without an error.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError

MISSING = ("_fillvalue", "missing_value")
"""Attributes that say which number stands for a value that is missing."""
DEEPEST = 8
"""Virtual data sets of virtual data sets that are followed; one that names itself ends here."""


def require_written(dataset: h5py.Dataset, rows: slice, depth: int = 0) -> None:
    """Raise an :class:`EventsError` where numbers of these rows were never written.

    Args:
        dataset: of an open file.
        rows: the part that is to be read, from its first to its last row.
        depth: how many virtual data sets have led here.
    """
    if not dataset.size or rows.stop <= rows.start:
        return
    if dataset.is_virtual:
        _require_sources(dataset, depth)
    elif dataset.external:
        _require_external(dataset)
    elif dataset.chunks is not None:
        _require_chunks(dataset, rows)
    elif dataset.id.get_storage_size() == 0:
        msg = f"{_name(dataset)} was declared, but its numbers were never written"
        raise EventsError(msg)


def require_present(dataset: h5py.Dataset, values: Array) -> None:
    """Raise an :class:`EventsError` where values are marked as missing, as NetCDF does.

    Args:
        dataset: of an open file; its attributes say what stands for a missing value.
        values: some of its numbers, as they are in the file. Zeros are taken as nothing deposited.
    """
    for name in dataset.attrs:
        if name.casefold() not in MISSING or values.dtype.kind not in "iuf":
            continue
        marks = np.atleast_1d(dataset.attrs[name])
        if marks.dtype.kind not in "iuf":
            continue
        count = int(np.isin(values, marks[marks != 0].astype(values.dtype)).sum())
        if count:
            msg = f"{_name(dataset)} holds {count} values that its attribute {name} calls missing"
            raise EventsError(msg)


def require_linked(file: h5py.Group, name: str) -> None:
    """Raise an :class:`EventsError` where a name is a link whose target is missing."""
    link = file.get(name, getlink=True)
    if file.get(name) is not None or not isinstance(link, h5py.ExternalLink | h5py.SoftLink):
        return
    place = f" of {link.filename}" if isinstance(link, h5py.ExternalLink) else ""
    msg = f"{name} is a link to {link.path}{place}, which is missing"
    raise EventsError(msg)


def _require_chunks(dataset: h5py.Dataset, rows: slice) -> None:
    chunks: tuple[int, ...] = dataset.chunks
    counts = [math.ceil(size / step) for size, step in zip(dataset.shape, chunks, strict=True)]
    if dataset.id.get_num_chunks() >= math.prod(counts):
        return
    first, last = rows.start // chunks[0], math.ceil(rows.stop / chunks[0])
    for place in itertools.product(range(first, last), *map(range, counts[1:])):
        corner = tuple(number * step for number, step in zip(place, chunks, strict=True))
        if dataset.id.get_chunk_info_by_coord(corner).byte_offset is None:
            end = min(corner[0] + chunks[0], dataset.shape[0])
            msg = (
                f"{_name(dataset)} was never written for events {corner[0]} to {end - 1}: "
                "HDF5 reads such a chunk as fill values"
            )
            raise EventsError(msg)


def _require_external(dataset: h5py.Dataset) -> None:
    folder = Path(dataset.file.filename).parent
    missing = dataset.size * dataset.dtype.itemsize
    for name, offset, size in dataset.external:
        path = next((p for p in (folder / name, Path(name)) if p.is_file()), None)
        if path is None:
            msg = f"{_name(dataset)} lies in the external file {name}, which is missing"
            raise EventsError(msg)
        missing -= min(size, max(path.stat().st_size - offset, 0))
    if missing > 0:
        names = ", ".join(name for name, *_ in dataset.external)
        msg = (
            f"{_name(dataset)} lies in the external file {names}, which ends {missing} bytes early"
        )
        raise EventsError(msg)


def _require_sources(dataset: h5py.Dataset, depth: int) -> None:
    """Check every source of a virtual data set, and that together they cover it."""
    name = _name(dataset)
    if depth == DEEPEST:
        msg = f"{name} is a virtual data set that leads through more than {DEEPEST} others"
        raise EventsError(msg)
    covered: list[tuple[int, int]] = []
    numbers = 0
    for source in dataset.virtual_sources():
        _require_source(dataset, source, depth)
        low, high = source.vspace.get_select_bounds()
        covered.append((int(low[0]), int(high[0]) + 1))
        numbers += source.vspace.get_select_npoints()
    row = _first_gap(covered)
    if row < dataset.shape[0] or numbers < dataset.size:
        msg = f"{name} is a virtual data set that no source covers"
        msg += f" from event {row} on" if row < dataset.shape[0] else ""
        raise EventsError(msg)


def _first_gap(covered: list[tuple[int, int]]) -> int:
    """Return the first row that none of the half-open intervals covers."""
    row = 0
    for low, high in sorted(covered):
        if low > row:
            break
        row = max(row, high)
    return row


def _require_source(dataset: h5py.Dataset, source: Any, depth: int) -> None:  # noqa: ANN401
    what = f"{_name(dataset)} is a virtual data set; its source {source.file_name}"
    if source.file_name == ".":
        _require_part(dataset.file, source, what, depth)
        return
    folder = Path(dataset.file.filename).parent
    places = (folder / source.file_name, Path(source.file_name))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        msg = f"{what} is missing"
        raise EventsError(msg)
    try:
        with h5py.File(path, "r") as file:
            _require_part(file, source, what, depth)
    except OSError:
        msg = f"{what} is not a readable HDF5 file"
        raise EventsError(msg) from None


def _require_part(file: h5py.File, source: Any, what: str, depth: int) -> None:  # noqa: ANN401
    part = file.get(source.dset_name)
    if not isinstance(part, h5py.Dataset):
        msg = f"{what} has no data set {source.dset_name}"
        raise EventsError(msg)
    taken = source.src_space
    if taken.get_select_type() == h5py.h5s.SEL_ALL:  # whatever the source holds, one for one
        low, fits = (0,), part.size == source.vspace.get_select_npoints()
        high: tuple[int, ...] = tuple(size - 1 for size in part.shape)
    else:
        low, high = taken.get_select_bounds()
        inside = len(high) == part.ndim
        fits = inside and all(h < n for h, n in zip(high, part.shape, strict=True))
    if not fits:
        msg = f"{what} has {source.dset_name} of the shape {part.shape}, which is too small"
        raise EventsError(msg)
    require_written(part, slice(int(low[0]), int(high[0]) + 1), depth + 1)


def _name(dataset: h5py.Dataset) -> str:
    return str(dataset.name).lstrip("/")
