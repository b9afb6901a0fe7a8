"""What classifiers see of a jet: the image, pixel by pixel."""

from __future__ import annotations

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.events import Events
from simulacra.validation.classifiers.table import Table, table_of

LEAST = 1e-3
"""Momentum in GeV up to which pixels look alike: the threshold of LAGAN's images."""


def image_tables(events: Events, conditions: FloatArray) -> dict[str, Table]:
    """Return the table ``pixels``: the conditions' features, and log(1 + pT / 1 MeV) of pixels."""
    images = events["images"].reshape(len(events), -1)
    return {"pixels": table_of(conditions, np.log1p(np.maximum(images, 0.0) / LEAST))}
