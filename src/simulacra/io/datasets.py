"""HDF5 files as they come: opened, recognised by what they hold, read row by row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError, SimulacraError
from simulacra.files.memory import memory
from simulacra.io.confined import require_confined
from simulacra.io.integrity import require_linked, require_present, require_written
from simulacra.io.stated_units import factor_to, file_energy_unit, stated_unit
from simulacra.units import find_unit

SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Yield the open file; whatever goes wrong in the block becomes one line that names it.

    Raises:
        EventsError: the file is missing, damaged, or not what the block expects.
    """
    if not path.is_file():
        msg = f"no events file {path}"
        raise EventsError(msg)
    try:
        with h5py.File(path, "r") as file:
            require_confined(file)
            yield file
    except SimulacraError as error:
        msg = f"{path}: {error}"
        raise EventsError(msg) from None
    except (OSError, KeyError, RuntimeError, ValueError) as error:  # too deep JSON: RuntimeError
        reason = " ".join(str(error).split())
        msg = f"{path}: not a readable HDF5 events file (truncated or damaged?): {reason}"
        raise EventsError(msg) from None


def holds(path: Path, *names: str) -> bool:
    """Return whether the file is HDF5 and has all these datasets at its top."""
    if not starts_with(path, SIGNATURE):
        return False
    with opened(path) as file:
        return all(name in file for name in names)


def starts_with(path: Path, signature: bytes) -> bool:
    """Return whether the file's first bytes are these."""
    with path.open("rb") as file:
        return file.read(len(signature)) == signature


def read_numbers(file: h5py.File, name: str, rows: slice = slice(None)) -> Array:
    """Return rows of a dataset of numbers, first axis the event.

    Objects and texts are refused: an events file holds numbers, and nothing is ever unpickled.
    So are numbers that were never written. The byte order is the machine's, and half precision
    becomes single, in which sums do not overflow.
    """
    dataset: Any = file.get(name)
    if dataset is None:
        require_linked(file, name)
        msg = f"there is no {name}"
        raise EventsError(msg)
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "biuf":
        msg = f"{name} is not an array of numbers"
        raise EventsError(msg)
    if not dataset.shape:
        msg = f"{name} has no axis of events"
        raise EventsError(msg)
    rows = range_of(rows, len(dataset))
    in_memory = 8 if dataset.dtype.kind in "biu" else max(dataset.dtype.itemsize, 4)
    require_memory((rows.stop - rows.start) * math.prod(dataset.shape[1:]) * in_memory)
    require_written(dataset, rows)
    array: Array = dataset[rows]
    require_present(dataset, array)
    return array.astype(_type_in_memory(array.dtype), copy=False)


def _type_in_memory(stored: np.dtype[Any]) -> np.dtype[Any]:
    if stored.kind == "f" and stored.itemsize not in (4, 8):
        return np.dtype(np.float32 if stored.itemsize == 2 else np.float64)
    return stored.newbyteorder("=")


def read_quantity(
    file: h5py.Group,
    name: str,
    unit: str,
    rows: slice = slice(None),
    *,
    default: str | None = None,
) -> Array:
    """Return rows of a data set in the unit that it has in memory.

    Args:
        file: what holds it.
        name: of the data set.
        unit: in memory; empty for a number without one.
        rows: which.
        default: the unit of numbers that state none; else that in memory.

    Raises:
        EventsError: it is no array of numbers, was never written, or states another kind of unit.
    """
    array = read_numbers(file, name, rows)
    if not unit:
        stated = stated_unit(file[name])
        return array if stated is None else array * factor_to(unit, stated, name)
    if array.dtype.kind == "b":
        msg = f"{name} holds truth values, not numbers in {unit}"
        raise EventsError(msg)
    stated = unit_in(file, name, unit)
    factor = factor_to(unit, stated or default or unit, name)
    if array.dtype.kind in "iu":
        array = array.astype(np.float64)
    return array if factor == 1 else array * array.dtype.type(factor)


def unit_in(file: h5py.Group, name: str, memory: str = "MeV") -> str | None:
    """Return the unit that a data set, or for energies the file as a whole, states; or None."""
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        return None
    stated = stated_unit(dataset)
    known = find_unit(memory)
    if stated is None and known is not None and known[0] == "energy":
        return file_energy_unit(dataset.file)
    return stated


def read_column(
    file: h5py.Group,
    name: str,
    unit: str,
    rows: slice = slice(None),
    *,
    default: str | None = None,
) -> Array:
    """Return one number for each event (n,), stored as (n,) or (n, 1); see :func:`read_quantity`.

    Raises:
        EventsError: it has another shape.
    """
    dataset = file.get(name)
    shape: tuple[int, ...] = getattr(dataset, "shape", ()) or ()
    if math.prod(shape[1:]) != 1:
        msg = f"{name} has the shape {shape}; one number an event is needed, (n,) or (n, 1)"
        raise EventsError(msg)
    return read_quantity(file, name, unit, rows, default=default).reshape(-1)


def count_rows(path: Path, name: str) -> int:
    """Return the length of a dataset's first axis."""
    with opened(path) as file:
        require_linked(file, name)
        shape: tuple[int, ...] = getattr(file.get(name), "shape", ()) or ()
        if not shape:
            msg = f"{name} has no axis of events"
            raise EventsError(msg)
        return shape[0]


def require_memory(size: int) -> None:
    """Raise an :class:`EventsError` where an array of ``size`` bytes would crowd out all else.

    Half of the memory is the limit: checks and conversions need copies. Asking the system for too
    much is no test, since it promises memory that it does not have.
    """
    if size > memory() / 2:
        msg = f"an array of {size / 1e9:.3g} GB is too large; read a part of it (--rows 0:10000)"
        raise EventsError(msg)


def parse_rows(text: str) -> slice:
    """Return the events that ``FIRST:LAST`` means, the last one excluded; either may be left out.

    Example:
        >>> parse_rows("1000:")
        slice(1000, None, None)

    Raises:
        EventsError: the text is not of that form.
    """
    match = re.fullmatch(r"(\d{0,18}):(\d{0,18})", text)
    if match is None:
        msg = f"rows {text!r} should be FIRST:LAST, such as 0:1000"
        raise EventsError(msg)
    first, last = (int(part) if part else None for part in match.groups())
    return slice(first, last)


def range_of(rows: slice, n: int) -> slice:
    """Return a slice of ``n`` events with its ends as positions from 0 to ``n``.

    Example:
        >>> range_of(slice(-2, None), 10)
        slice(8, 10, None)
    """
    start, stop, step = rows.indices(n)
    if step != 1:
        msg = "events are read one after another: rows is a slice without step"
        raise EventsError(msg)
    return slice(start, max(start, stop))
