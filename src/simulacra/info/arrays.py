"""The arrays of a file of any program: HDF5 datasets, and trees of ROOT files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

from simulacra.io.datasets import SIGNATURE, opened, starts_with
from simulacra.io.root import is_root

UNIT_ATTRIBUTES = ("unit", "units")
"""Where files write the unit of a dataset."""


def array_facts(path: Path) -> dict[str, str]:
    """Return the arrays of a file by name: shapes or types; nothing where it is of another kind."""
    if starts_with(path, SIGNATURE):
        return _datasets(path)
    if is_root(path):
        return _branches(path)
    return {}


def _datasets(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}

    def visit(name: str, entry: Any) -> None:  # noqa: ANN401 - h5py carries no types
        if isinstance(entry, h5py.Dataset):
            units = [str(entry.attrs[key]) for key in UNIT_ATTRIBUTES if key in entry.attrs]
            found[name] = " ".join([str(entry.shape), str(entry.dtype), *units])

    with opened(path) as file:
        file.visititems(visit)
    return found


def _branches(path: Path) -> dict[str, str]:
    """Return the branches of all trees, each tree's number of entries with its name."""
    import uproot  # an optional dependency, which reading the file has asked for

    found: dict[str, str] = {}
    with uproot.open({str(path): None}) as file:
        for name, kind in file.classnames(recursive=True).items():
            if kind != "TTree" and "RNTuple" not in kind:
                continue
            tree = file[name]
            found[name] = f"{kind} of {tree.num_entries} entries"
            types: dict[str, str] = getattr(tree, "typenames", dict)()
            found |= {f"{name}: {branch}": text for branch, text in types.items()}
    return found
