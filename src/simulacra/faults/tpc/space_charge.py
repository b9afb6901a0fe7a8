"""Distortions by the charge of ions in the drift volume."""

from __future__ import annotations

import numpy as np

from simulacra.detectors import TPC
from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import drift_lengths, turned


def space_charge(subject: Subject) -> Response:
    r"""Return the response with shifts along r phi that grow with the drift and towards the axis.

    The shift is :math:`s\,(d/L)\,((R - r)/(R - R_0))^2` with the strength s, the drift length d,
    the longest one L and the radii of the first and the last pad row, R_0 and R. A shape with the
    known features (largest at the inner wall for the longest drift, none at the end plate), not a
    solution of Poisson's equation.
    """
    detector = subject.detector
    assert isinstance(detector, TPC)
    radii = detector.row_radii
    inward = (radii[-1] - radii) / (radii[-1] - radii[0])
    length = detector.drift_length
    shift = subject.strength * drift_lengths(subject, length) / length * inward**2
    return turned(subject, shift)


SPACE_CHARGE = Fault(
    "shifts along r phi that grow with the drift and towards the inner wall",
    "largest shift",
    "mm",
    space_charge,
    low=-np.inf,
)
