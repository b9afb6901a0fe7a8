"""What classifiers see of a calorimeter's cells.

Energies enter as CaloChallenge has them (arXiv:2410.21611, sections 5 and 6): cells over the
incident or the layer's energy, layer energies as log10(E + 1e-8 MeV).
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter
from simulacra.energies import scale_of
from simulacra.events import Events
from simulacra.validation.classifiers.table import Table, log_energy, table_of

SMALLEST_CELL = 0.1
"""Energy in MeV that stands for everything below it in ``log cells``: what CaloChallenge puts for
empty cells, whose smallest deposit is 1 MeV. Without it, cells of 1e-5 MeV would rule distances."""


def cell_tables(events: Events, conditions: FloatArray) -> dict[str, Table]:
    """Return the tables of a calorimeter's events by name, given the conditions' features.

    ``cells``: all conditions and the cells over the incident energy; ``normalised``: all
    conditions, the cells over their layer's energy and the layers' energies; ``log cells``: log10
    of the cells; ``layers``: the layers' energies.
    """
    detector = events.detector
    assert isinstance(detector, Calorimeter)
    showers = events["showers"].astype(np.float32, copy=False)
    layers = np.stack([showers[:, la.cells].sum(1, dtype=np.float64) for la in detector.layers], 1)
    normalised = np.empty_like(showers)
    for column, layer in zip(layers.T, detector.layers, strict=True):
        scale = np.where(column > 0, column, 1.0)[:, None]
        normalised[:, layer.cells] = showers[:, layer.cells] / scale
    return {
        "cells": table_of(conditions, showers / scale_of(events)[:, None]),
        "normalised": table_of(conditions, log_energy(layers), normalised),
        "log cells": table_of(np.log10(np.maximum(showers, SMALLEST_CELL))),
        "layers": table_of(layers),
    }
