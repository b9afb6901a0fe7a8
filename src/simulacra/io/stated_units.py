"""Units that a file states in attributes, and the factor from there to the unit in memory."""

from __future__ import annotations

import re

import h5py
import numpy as np

from simulacra.errors import EventsError
from simulacra.units import find_unit

_UNIT = re.compile(r"(?<![a-z])units?(?![a-z])|units?$", re.IGNORECASE)
"""The name of an attribute that states a unit: ``Units``, ``energy_unit``, not ``community``."""
NO_UNIT = ("", "1", "-", "none", "n/a", "dimensionless", "unitless")
SCALED = ("scale_factor", "add_offset")
"""Attributes by which other programs shrink numbers; h5py does not apply them."""


def stated_unit(dataset: h5py.Dataset) -> str | None:
    """Return the unit that a data set states; None where it states none.

    That is the text of an attribute that is called ``unit``, in any case; else of one of the file
    that names the data set, such as ``showers_unit``.

    Raises:
        EventsError: two attributes of the data set state different units, or one is no text.
    """
    label = str(dataset.name).lstrip("/")
    texts = _texts(dataset)
    own = {name: texts.get(name) for name in dataset.attrs if _UNIT.search(name)}
    if strange := [name for name, text in own.items() if text is None]:
        msg = f"{label} has the attribute {strange[0]}, which is not the name of a unit"
        raise EventsError(msg)
    if scaled := [name for name in dataset.attrs if name.casefold() in SCALED]:
        msg = f"{label} has the attribute {scaled[0]}: apply it first, it is not applied here"
        raise EventsError(msg)
    units = {name: text for name, text in own.items() if text and text.casefold() not in NO_UNIT}
    if len(set(units.values())) > 1:
        stated = ", ".join(f"{name} = {text}" for name, text in units.items())
        msg = f"{label} states two units: {stated}"
        raise EventsError(msg)
    if units:
        return next(iter(units.values()))
    whole = {name.casefold().rstrip("s"): text for name, text in _texts(dataset.file).items()}
    return whole.get(f"{label.rpartition('/')[2]}_unit".casefold())


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
    """Return the attributes that are one text; an empty attribute is an empty text."""
    texts = {}
    for name in holder.attrs:
        value = holder.attrs[name]
        if isinstance(value, h5py.Empty):
            texts[name] = ""
            continue
        item = np.asarray(value).reshape(-1)
        if item.size == 1 and item.dtype.kind in "OSU":
            first = item[0]
            text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
            texts[name] = text.strip("\0 ")
    return texts
