"""What classifiers see of a TPC's clusters: where they lie beside the true helix, and their charge.

The helix takes away what the conditions say already, so that the rest has the same scale and the
same symmetry everywhere in the chamber.
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.events import Events
from simulacra.helix import residuals
from simulacra.observables.tpc.tracks import SMALLEST_CHARGE, Tracks
from simulacra.validation.classifiers.table import Table, table_of


def track_tables(events: Events, conditions: FloatArray) -> dict[str, Table]:
    """Return the table ``clusters`` of a TPC's events, given the conditions' features.

    All conditions, and for each pad row: whether it has a cluster; arsinh of the residuals to the
    true helix in r phi and z (mm), linear for small and logarithmic for large ones; log10 of q and
    q_max (ADC). Rows without a cluster are 0.
    """
    tracks = Tracks(events)
    present = tracks.present
    beside = residuals(tracks.true, tracks.points)
    charges = [
        np.log10(np.maximum(charge, SMALLEST_CHARGE))
        for charge in (tracks.charge, tracks.charge_max)
    ]
    columns = [np.arcsinh(beside.r_phi), np.arcsinh(beside.z), *charges]
    rows = [np.where(present, column, 0.0) for column in columns]
    return {"clusters": table_of(conditions, present.astype(np.float32), *rows)}
