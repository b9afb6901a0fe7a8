"""One observable of a validation as a figure: against the energy, or as a histogram."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

import numpy as np
from matplotlib.figure import Figure

from simulacra.arrays import FloatArray
from simulacra.errors import SimulacraError
from simulacra.units import parse_quantity
from simulacra.validation.compared import Compared
from simulacra.validation.report.canvas import panels, styled
from simulacra.validation.report.group_plots import histogram_panel
from simulacra.validation.report.primary_plots import energy_figure, points_of
from simulacra.validation.result import GroupResult, Validation, label_text

MOST_NAMES = 12
"""Names that a message lists."""


def observable_figure(validation: Validation, name: str, energy: str | None) -> Figure:
    """Return the figure of an observable; see :meth:`Validation.plot`."""
    require_observable(validation, name)
    points = points_of(validation, name)
    with styled():
        if energy is None and (len(points) > 1 or (points and validation.compared is None)):
            return energy_figure(validation, name, points)
        compared = validation.require_events(f"a histogram of {name}")
        group = validation.pooled if energy is None else group_of(validation, compared, energy)
        return _histogram(validation, compared, name, group)


def require_observable(validation: Validation, name: str) -> None:
    """Raise a :class:`SimulacraError` with the nearest name where there is no such observable."""
    if name not in validation.observables:
        nearest = difflib.get_close_matches(name, validation.observables, 1)
        what = f"no observable {name!r}"
        raise _unknown(what, validation.observables, nearest)


def _histogram(validation: Validation, compared: Compared, name: str, group: GroupResult) -> Figure:
    """Return the histograms of both samples in one group."""
    if name not in group.comparisons:
        state = "has one value in all events" if name in group.constant else "is undefined"
        msg = f"nothing to draw at {group.label}: {name} {state}"
        raise SimulacraError(msg)
    samples = compared.full, compared.fast
    full, fast = (compared.values(sample, name, group.label) for sample in samples)
    figure, ((main, ratio),) = panels(1, width=6.5, height=4.6)
    histogram_panel(main, ratio, validation.observables[name], full, fast, title=group.label)
    return figure


def group_of(validation: Validation, compared: Compared, energy: str) -> GroupResult:
    """Return the group with this label, or the one in which this energy lies."""
    value = _value_of(energy)
    labels = [group.label for group in compared.groups if group.select(value).any()]
    wanted = {_squeezed(label) for label in (energy, *labels)}
    for group in validation.groups:
        if _squeezed(group.label) in wanted:
            return group
    what = f"no {label_text(validation.scale)} {energy!r}"
    raise _unknown(what, [group.label for group in validation.groups])


def _value_of(energy: str) -> FloatArray:
    """Return the energy in MeV (1,), or nothing (0,) where the text is none."""
    try:
        return np.array([parse_quantity(energy, "energy")])
    except ValueError:
        return np.empty(0)


def _squeezed(label: str) -> str:
    return label.replace(" ", "").casefold()


def _unknown(what: str, names: Collection[str], nearest: Sequence[str] = ()) -> SimulacraError:
    """Return an error that has the nearest name, and the others as far as a line holds them."""
    hint = f"; the nearest is {nearest[0]!r}" if nearest else ""
    listed = ", ".join([*names][:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return SimulacraError(f"{what}{hint}; there are {listed}{more}")
