"""Cells below a threshold are not read out."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject


def zero_suppression(subject: Subject) -> Response:
    """Return the response in which struck cells below the strength read zero."""
    showers = subject.response["showers"]
    below = subject.where & (showers < subject.strength)
    return {"showers": np.where(below, 0, showers)}


ZERO_SUPPRESSION = Fault(
    "cells below the threshold read zero", "threshold of a cell", "MeV", zero_suppression
)
