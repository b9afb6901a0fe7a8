"""What the sample metrics and the classifiers see of an event: tables (n, features) in float32.

Energies enter as CaloChallenge has them (arXiv:2410.21611, sections 5 and 6): cells over the
incident or the layer's energy, layer energies as log10(E + 1e-8 MeV).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter
from simulacra.energies import scale_of
from simulacra.events import Events
from simulacra.observables import observables_of
from simulacra.validation.sample import Sample

Table = NDArray[np.float32]

CLASSIFIED = ("cells", "normalised", "high-level")
"""The tables that the classifier test takes, where a detector has them."""
SMALLEST_LOG = 1e-8
"""Added to energies (MeV) before a logarithm."""
SMALLEST_CELL = 0.1
"""Energy in MeV that stands for everything below it in ``log cells``: what CaloChallenge puts for
empty cells, whose smallest deposit is 1 MeV. Without it, cells of 1e-5 MeV would rule distances."""


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
    - ``observables``: log10 of the incident energy and all observables: what distances are
      defined on, so that discrete conditions do not enter them.
    - of calorimeters, ``cells``: all conditions and the cells over the incident energy;
      ``normalised``: all conditions, the cells over their layer's energy and the layers' energies;
      ``log cells``: log10 of the cells; ``layers``: the layers' energies.

    Args:
        events: the events.
        values: their observables (n,) by name.
    """
    with np.errstate(all="ignore"):  # broken events are counted, and left out by their mask
        conditions = _conditions(events)
        energy = np.log10(scale_of(events))[:, None]
        observables = _observables(events, values)
        tables = {
            "high-level": _table(conditions, observables),
            "observables": _table(energy, observables),
        }
        if isinstance(events.detector, Calorimeter):
            tables |= _cell_tables(events, events.detector, conditions)
    return tables


def _cell_tables(events: Events, detector: Calorimeter, conditions: FloatArray) -> dict[str, Table]:
    showers = events["showers"].astype(np.float32, copy=False)
    layers = np.stack([showers[:, la.cells].sum(1, dtype=np.float64) for la in detector.layers], 1)
    normalised = np.empty_like(showers)
    for column, layer in zip(layers.T, detector.layers, strict=True):
        scale = np.where(column > 0, column, 1.0)[:, None]
        normalised[:, layer.cells] = showers[:, layer.cells] / scale
    return {
        "cells": _table(conditions, showers / scale_of(events)[:, None]),
        "normalised": _table(conditions, _logarithm(layers), normalised),
        "log cells": _table(np.log10(np.maximum(showers, SMALLEST_CELL))),
        "layers": _table(layers),
    }


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
    units = {o.name: o.unit for o in observables_of(events.detector)}
    columns = [_logarithm(v) if units[name] == "MeV" else v for name, v in values.items()]
    return np.stack(columns, axis=1)


def _logarithm(energy: FloatArray) -> FloatArray:
    result: FloatArray = np.log10(np.maximum(energy, 0.0) + SMALLEST_LOG)
    return result


def _table(*parts: NDArray[np.floating]) -> Table:
    return np.concatenate([part.astype(np.float32) for part in parts], axis=1)
