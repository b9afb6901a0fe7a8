"""HDF5 files of others as tables: data sets of equal length in one group, and compound data sets.

A data set is a column, its first axis the rows; the fields of a compound data set are columns of a
table of its own. Where a group holds data sets of several lengths, such as events and hits, those
of each length are a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from simulacra.arrays import Array
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import opened, range_of, read_numbers, require_memory
from simulacra.io.foreign import carried_detector, require_calorimeter
from simulacra.io.integrity import require_written
from simulacra.io.mapped.assemble import assemble
from simulacra.io.mapped.mapping import Layout, Source, columns_in
from simulacra.io.mapped.plan import plan_events
from simulacra.io.mapped.rows import count_events
from simulacra.io.mapped.tables import Column, listed
from simulacra.io.mapped.tables import stated_unit as unit_in_name
from simulacra.io.stated_units import file_energy_unit, stated_unit

KIND = "hdf5 table"
TOP = "/"
ENERGIES = ("energy", "cells", "cell_energy", "total_energy", "momentum", "mass")
"""Targets that are in the unit of energies that a file states as a whole."""
UNMAPPED = ENERGIES[:3]
"""Those that are taken from columns of these names where the mapping is silent."""
NUMBERS = "biuf"


class Hdf5Table:
    """Columns of one length.

    Args:
        name: the group's or data set's, with those that it lies in.
        columns: for each column its data set, and which field of it, if it is compound.
        rows: their length.
    """

    def __init__(self, name: str, columns: dict[str, tuple[h5py.Dataset, str]], rows: int) -> None:
        self._name, self._columns, self._rows = name, columns, rows

    @property
    def name(self) -> str:
        """Its name, with the groups it lies in."""
        return self._name

    def __len__(self) -> int:
        return self._rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self._columns)

    def read(self, column: str, rows: slice = slice(None)) -> Column:
        """Return rows of a column.

        Raises:
            EventsError: it does not hold numbers, or was never written.
        """
        dataset, field = self._columns[column]
        rows = range_of(rows, self._rows)
        stated_unit(dataset)  # numbers that other programs shrank are refused
        if h5py.check_vlen_dtype(dataset.dtype) is not None:
            return _lists(dataset, rows)
        if not field:
            return Column(read_numbers(dataset.file, dataset.name, rows))
        require_memory((rows.stop - rows.start) * dataset.dtype.itemsize)
        require_written(dataset, rows)
        return Column(_plain(dataset[rows][field]))

    def unit(self, column: str) -> str | None:
        """Return the unit that attributes of a column, or its name, state."""
        dataset, field = self._columns[column]
        own = None if field else stated_unit(dataset)
        return own or unit_in_name(column, "", self._columns)

    def companions(self, column: str) -> tuple[str, ...]:  # noqa: ARG002 - none says lengths
        """Return the columns that only say how long this one is: none."""
        return ()


def _lists(dataset: h5py.Dataset, rows: slice) -> Column:
    """Return rows of different lengths."""
    require_written(dataset, rows)
    lists: Any = dataset[rows]
    counts = np.array([len(each) for each in lists], np.int64)
    kind = h5py.check_vlen_dtype(dataset.dtype)
    require_memory(int(counts.sum()) * kind.itemsize)
    values = np.concatenate([np.zeros(0, kind), *lists])
    return Column(_plain(values), counts)


def _plain(array: Array) -> Array:
    return np.asarray(array).astype(array.dtype.newbyteorder("="), copy=False)


def tables_of(file: h5py.File) -> dict[str, Hdf5Table]:
    """Return the tables of a file by their names."""
    groups: dict[str, dict[int, dict[str, tuple[h5py.Dataset, str]]]] = {}
    tables: dict[str, Hdf5Table] = {}
    for path, dataset in _datasets(file):
        group, _, name = path.rpartition("/")
        if dataset.dtype.names:
            kinds = {field: dataset.dtype[field].base.kind for field in dataset.dtype.names}
            fields = {f: (dataset, f) for f, kind in kinds.items() if kind in NUMBERS}
            tables[path] = Hdf5Table(path, fields, len(dataset))
        else:
            groups.setdefault(group, {}).setdefault(len(dataset), {})[name] = (dataset, "")
    for group, lengths in groups.items():
        for rows, columns in lengths.items():
            name = (group or TOP) if len(lengths) == 1 else f"{group or TOP} with {rows} rows"
            tables[name] = Hdf5Table(name, columns, rows)
    return tables


def _datasets(group: h5py.Group, path: str = "") -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield the data sets below a group that have rows of numbers, with their paths."""
    for name, item in group.items():
        where = f"{path}/{name}" if path else name
        if isinstance(item, h5py.Group):
            yield from _datasets(item, where)
        elif isinstance(item, h5py.Dataset) and item.shape and _holds_numbers(item.dtype):
            yield where, item


def _holds_numbers(kind: np.dtype[Any]) -> bool:
    inner = h5py.check_vlen_dtype(kind)
    if inner is not None and isinstance(inner, np.dtype):
        return inner.kind in NUMBERS
    return kind.kind in NUMBERS or bool(kind.names)


def read_tables(
    path: Path, detector: Detector | None, rows: slice, unit: str | None, layout: Layout
) -> Events:
    """Read events of a file whose columns a layout maps.

    Args:
        path: the file.
        detector: the detector, which files of others do not carry.
        rows: which events.
        unit: of energies of which neither mapping nor file says one.
        layout: which data sets hold what.

    Raises:
        EventsError: no table has such columns, or they make no sense.

    Warns:
        UserWarning: something was concluded or left out.
    """
    with opened(path) as file:
        tables, layout = _understood(file, layout, unit)
        calorimeter = require_calorimeter(carried_detector(None, detector), KIND)
        events = assemble(tables, layout, calorimeter, rows)
        origin = dict(events.provenance)
        converted = {"format": KIND, "file": path.name, **origin["converted_from"]}
        facts = {**origin, "converted_from": converted}
        return Events(events.conditions, events.response, events.detector, facts)


def count_tables(path: Path, layout: Layout) -> int:
    """Return the number of events in the file's tables."""
    with opened(path) as file:
        tables, layout = _understood(file, layout, None)
        return count_events(plan_events(tables, layout, None), layout)


def _understood(
    file: h5py.File, layout: Layout, unit: str | None
) -> tuple[dict[str, Hdf5Table], Layout]:
    """Return the tables to look into, and the layout with the unit that holds for all energies."""
    every = tables_of(file)
    if unknown := [tree for tree in layout.trees if tree.strip("/") not in every]:
        msg = f"no group or compound data set {unknown[0]!r}; there are {listed(every)}"
        raise EventsError(msg)
    if layout.trees:
        every = {name.strip("/"): every[name.strip("/")] for name in layout.trees}
    whole = file_energy_unit(file) or unit
    if whole is None:
        return every, layout
    sources = dict(layout.sources)
    for target in ENERGIES:
        named = any(target in table.columns for table in every.values())
        if target in UNMAPPED and target not in sources and named:
            sources[target] = (Source((target,)),)
        if given := sources.get(target):
            sources[target] = tuple(_in_unit(source, every, whole) for source in given)
    return every, replace(layout, sources=sources)


def _in_unit(source: Source, tables: dict[str, Hdf5Table], unit: str) -> Source:
    """Return a source with the file's unit, where neither it nor its columns state one."""
    if source.unit is not None or source.constant is not None:
        return source
    for table in tables.values():
        columns = columns_in(table, source)
        if columns is not None and any(table.unit(column) for column in columns):
            return source
    return replace(source, unit=unit)
