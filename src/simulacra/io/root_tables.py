"""ROOT files as tables: TTrees and RNTuples in any folder, read by uproot (no ROOT needed).

Of an object that was written several times the newest cycle counts, as in ROOT. Branches are called
as in the file; members of a split object are ``hits.energy``, and leaves of a list of leaves
likewise.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError, MissingDependencyError, SimulacraError
from simulacra.io.datasets import range_of, require_memory
from simulacra.io.mapped.tables import Column, listed, stated_unit

UprootObject = Any  # uproot carries no types
TREES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple", "ROOT::Experimental::RNTuple")
REASON = 120
"""How many characters of uproot's explanations a message repeats."""
BOOKKEEPING = ("metadata", "podio_metadata", "runs", "configuration_metadata", "run_metadata")
"""Trees that podio writes beside its events."""
HEADERS = 1_000_000
"""Bytes of a branch, at least, that may be other than numbers: headers of its baskets."""


def require_uproot() -> tuple[Any, Any]:
    """Return the modules uproot and awkward.

    Raises:
        MissingDependencyError: they are not installed.
    """
    try:
        import awkward
        import uproot
    except ImportError:
        msg = "ROOT files need uproot: pip install 'simulacra[root]'"
        raise MissingDependencyError(msg) from None
    return uproot, awkward


@contextmanager
def opened_root(path: Path) -> Iterator[UprootObject]:
    """Yield the open file; whatever goes wrong in the block becomes one line that names it.

    Raises:
        EventsError: the file is damaged, or not what the block expects.
        MissingDependencyError: uproot is not installed.
    """
    uproot, _ = require_uproot()
    try:
        with uproot.open({path: None}) as file:
            if path.stat().st_size < file.file.fEND:
                msg = f"truncated: {path.stat().st_size} bytes of {file.file.fEND}"
                raise EventsError(msg)
            yield file
    except (MissingDependencyError, MemoryError):
        raise
    except SimulacraError as error:
        msg = f"{path}: {error}"
        raise EventsError(msg) from None
    except Exception as error:  # uproot raises whatever its code stumbles on in a damaged file
        reason = " ".join(str(error).split())
        msg = f"{path}: not a readable ROOT file (truncated or damaged?): {reason}"
        raise EventsError(msg) from error


def names_of(file: UprootObject, *kinds: str) -> list[str]:
    """Return the names of a file's objects of some kinds, folders included, each once."""
    every = file.classnames(recursive=True)
    return list(dict.fromkeys(name.split(";")[0] for name, kind in every.items() if kind in kinds))


class RootTable:
    """A TTree or RNTuple as a table.

    Args:
        name: its name, with the folders it lies in.
        tree: uproot's object.
    """

    def __init__(self, name: str, tree: UprootObject) -> None:
        self._name, self._tree = name, tree

    @property
    def name(self) -> str:
        """Its name, with the folders it lies in."""
        return self._name

    def __len__(self) -> int:
        return int(self._tree.num_entries)

    @cached_property
    def _members(self) -> dict[str, tuple[UprootObject, str]]:
        """For each column its branch, and which leaf of it where it has several."""
        members: dict[str, tuple[UprootObject, str]] = {}
        for path, branch in self._tree.items(recursive=True):
            name = getattr(branch, "name", path)
            if path not in members:
                name = path.rpartition("/")[2]  # of a branch below another one, the last part
            leaves = _leaves(branch)
            for leaf in leaves:
                members.setdefault(f"{name}.{leaf}", (branch, leaf))
            if not leaves:
                members.setdefault(path if name in members else name, (branch, ""))
        return members

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self._members)

    def read(self, column: str, rows: slice = slice(None)) -> Column:
        """Return rows of a column.

        Raises:
            EventsError: it does not hold numbers, or not one entry for each row of the tree.
        """
        branch, leaf = self._members[column]
        limits = {"entry_start": rows.start, "entry_stop": rows.stop}
        own = getattr(branch, "num_entries", len(self))
        if own != len(self):
            msg = f"{self._name}/{column} has {own} rows, the tree has {len(self)}"
            raise EventsError(msg)
        label = f"{self._name}/{column}"
        if len(self):  # what the file says of itself, before it is taken
            part = range_of(rows, len(self))
            claimed = int(getattr(branch, "uncompressed_bytes", 0))
            require_memory(claimed * (part.stop - part.start) // len(self) - HEADERS)
        try:
            array = branch.array(library="ak", **limits)
            return _column(label, array[leaf] if leaf else array)
        except _unreadable() as error:
            reason = " ".join(str(error).split())
            msg = f"{label} cannot be read as numbers: {reason[:REASON]}"
            raise EventsError(msg) from None

    def unit(self, column: str) -> str | None:
        """Return the unit that a column's name or title states."""
        branch, _ = self._members[column]
        title = getattr(branch, "title", None) or getattr(branch, "description", None) or ""
        return stated_unit(column, title, self._members)

    def companions(self, column: str) -> tuple[str, ...]:
        """Return the branch that holds the length of this one."""
        counter: UprootObject = getattr(self._members[column][0], "count_branch", None)
        counts = counter is not None and counter.count_branch is None  # else a split object's first
        return (str(counter.name),) if counts else ()


def _unreadable() -> tuple[type[Exception], ...]:
    """Return what uproot raises for branches of classes that it cannot take apart, or damage."""
    uproot, _ = require_uproot()
    usual = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)
    return (
        *(*usual, OSError, zlib.error, uproot.deserialization.DeserializationError),
        uproot.interpretation.identify.UnknownInterpretation,
        uproot.interpretation.objects.CannotBeAwkward,
    )


def _leaves(branch: UprootObject) -> tuple[str, ...]:
    """Return the names of a branch's leaves where it has several."""
    interpretation: UprootObject = getattr(branch, "interpretation", None)
    if type(interpretation).__name__ != "AsDtype":  # others keep the parts of a number there
        return ()
    return tuple(interpretation.from_dtype.names or ())


def _column(name: str, array: UprootObject) -> Column:
    """Return an awkward array as a column.

    Raises:
        EventsError: it holds something else than numbers, or lists in lists in lists.
    """
    _, awkward = require_uproot()
    if array.ndim > 2 and "var" in str(array.type):  # lists of lists: all that belongs to a row
        while array.ndim > 2:
            array = awkward.flatten(array, axis=2)
    if array.fields or not _is_numeric(array):
        what = f"an object with {listed(array.fields)}" if array.fields else str(array.type)
        msg = f"{name} does not hold numbers, but {what}"
        raise EventsError(msg)
    if array.ndim > 1 and "var" in str(array.type):
        counts = awkward.to_numpy(awkward.num(array)).astype(np.int64)
        values = awkward.to_numpy(awkward.flatten(array))
        return Column(_plain(values), counts)
    return Column(_plain(awkward.to_numpy(array)))


def _is_numeric(array: UprootObject) -> bool:
    text = str(array.type)
    return text.rpartition("*")[2].strip() in {
        *("bool", "float16", "float32", "float64"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    }


def _plain(values: Array) -> Array:
    """Return numbers without a mask, in the machine's byte order."""
    array = np.asarray(values)
    require_memory(array.nbytes)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def tables_of(file: UprootObject) -> dict[str, RootTable]:
    """Return the trees of a file by their names, without what is podio's bookkeeping."""
    names = [name for name in names_of(file, *TREES) if name not in BOOKKEEPING]
    return {name: RootTable(name, file[name]) for name in names}


def chosen_tables(every: dict[str, RootTable], trees: tuple[str, ...]) -> dict[str, RootTable]:
    """Return the trees of these names; folders may be left out where only one tree fits.

    Raises:
        EventsError: there is none of a name, or there are several in different folders.
    """
    chosen: dict[str, RootTable] = {}
    for tree in trees:
        name = tree.split(";")[0].strip("/")
        fitting = [name] if name in every else [t for t in every if t.endswith(f"/{name}")]
        if len(fitting) != 1:
            problem = f"several trees are called {name!r}" if fitting else f"no tree {name!r}"
            msg = f"{problem}; there are {listed(fitting or every)}"
            raise EventsError(msg)
        chosen[fitting[0]] = every[fitting[0]]
    return chosen
