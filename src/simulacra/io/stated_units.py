"""Units that a file states in attributes, and the factor from there to the unit in memory."""

from __future__ import annotations

import h5py
import numpy as np

from simulacra.errors import EventsError
from simulacra.units import find_unit


def stated_unit(dataset: h5py.Dataset) -> str | None:
    """Return the unit that a data set states; None where it states none.

    That is the text of an attribute whose name contains ``unit``, in any case; else of one of the
    file that names the data set, such as ``showers_unit``, and for energies the file's own
    ``unit`` or ``energy_unit``.

    Raises:
        EventsError: two attributes of the data set state different units.
    """
    own = {name: text for name, text in _texts(dataset).items() if "unit" in name.casefold()}
    if len(set(own.values())) > 1:
        stated = ", ".join(f"{name} = {text}" for name, text in own.items())
        msg = f"{dataset.name.lstrip('/')} states two units: {stated}"
        raise EventsError(msg)
    if own:
        return next(iter(own.values()))
    label = str(dataset.name).rpartition("/")[2]
    whole = {name.casefold().rstrip("s"): text for name, text in _texts(dataset.file).items()}
    if f"{label}_unit".casefold() in whole:
        return whole[f"{label}_unit".casefold()]
    return None


def file_energy_unit(file: h5py.File) -> str | None:
    """Return the unit of energies that a file states for all of its arrays, if it does."""
    whole = {name.casefold().rstrip("s"): text for name, text in _texts(file).items()}
    for name in ("unit", "energy_unit", "energyunit"):
        if (unit := find_unit(whole.get(name, ""))) and unit[0] == "energy":
            return whole[name]
    return None


def factor_to(memory: str, stated: str, name: str) -> float:
    """Return what numbers in the stated unit are multiplied by for the unit in memory.

    Args:
        memory: the unit in memory, empty for a number without one.
        stated: the unit in the file.
        name: of the array, for messages.

    Raises:
        EventsError: the stated unit is unknown, or of another dimension.
    """
    if "".join(stated.split()) == "".join(memory.split()):
        return 1.0
    found, needed = find_unit(stated), find_unit(memory)
    if found is None or needed is None or found[0] != needed[0]:
        what = f"{memory} or a unit that converts to it" if memory else "a number without a unit"
        msg = f"{name} states the unit {stated!r}; needed is {what}"
        raise EventsError(msg)
    return found[1] / needed[1]


def _texts(holder: h5py.Dataset | h5py.File) -> dict[str, str]:
    """Return the attributes that are one text that says something."""
    texts = {}
    for name in holder.attrs:
        try:
            value = np.asarray(holder.attrs[name])
        except (OSError, TypeError):
            continue  # empty, or of a type that numpy does not know
        if value.size == 1 and value.dtype.kind in "OSU":
            item = value.reshape(-1)[0]
            text = item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
            if text.strip("\0 "):
                texts[name] = text.strip("\0 ")
    return texts
