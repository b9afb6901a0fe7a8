"""What the sample metrics and the classifiers see of an event: conditions, observables, response.

What they see of the response depends on the kind of detector: :mod:`simulacra.validation.kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.energies import scale_of
from simulacra.events import Events
from simulacra.observables import Observable, observables_of
from simulacra.validation.classifiers.table import Table, log_energy, table_of
from simulacra.validation.kinds import kind_of
from simulacra.validation.sample import Sample

CLASSIFIED = ("cells", "normalised", "clusters", "high-level")
"""The tables that the classifier test takes, where a detector has them."""


def sample_tables(sample: Sample) -> dict[str, Table]:
    """Return the tables of :func:`feature_tables` for a sample, whose cells are read in pieces."""
    tables: dict[str, Table] = {}
    for place, events in sample.pieces():
        part = feature_tables(events, {name: v[place] for name, v in sample.values.items()})
        for name, rows in part.items():
            if name not in tables:
                tables[name] = np.empty((len(sample), rows.shape[1]), np.float32)
            tables[name][place] = rows
    return tables


def feature_tables(events: Events, values: Mapping[str, FloatArray]) -> dict[str, Table]:
    """Return the tables of some events by name.

    - ``high-level``: all conditions and all observables.
    - ``observables``: log10 of the detector's scale and all observables: what distances are
      defined on, so that discrete conditions do not enter them.
    - those of the detector's kind, of the response itself.

    Observables enter as they lie on their axes; where an event does not define one, it is 0.

    Args:
        events: the events.
        values: their observables (n,) by name.
    """
    with np.errstate(all="ignore"):  # broken events are counted, and left out by their mask
        conditions = _conditions(events)
        energy = np.log10(scale_of(events))[:, None]
        observables = _observables(events, values)
        tables = {
            "high-level": table_of(conditions, observables),
            "observables": table_of(energy, observables),
        }
        tables |= kind_of(events.detector).tables(events, conditions)
    return tables


def _conditions(events: Events) -> FloatArray:
    """Return the conditions as their roles ask: logarithms, sines and cosines, one-hot."""
    columns: list[FloatArray] = []
    for name, spec in events.detector.conditions.items():
        column = events.conditions[name].astype(np.float64)
        if spec.role == "log":
            columns.append(np.log10(column))
        elif spec.role == "cyclic":
            columns += [np.cos(column), np.sin(column)]
        elif spec.role == "categorical":
            columns += [(column == c).astype(np.float64) for c in spec.categories or ()]
        else:
            columns.append(column)
    return np.stack(columns, axis=1)


def _observables(events: Events, values: Mapping[str, FloatArray]) -> FloatArray:
    """Return the observables; energies as logarithms, for they span many decades."""
    table = {o.name: o for o in observables_of(events.detector)}
    return np.stack([_column(table[name], v) for name, v in values.items()], axis=1)


def _column(observable: Observable, values: FloatArray) -> FloatArray:
    if observable.unit == "MeV":
        return log_energy(values)
    column = observable.axis.places(values)
    return np.where(np.isnan(column), 0.0, column) if observable.optional else column
