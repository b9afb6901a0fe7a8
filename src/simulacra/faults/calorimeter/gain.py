"""A gain that differs from the calibrated one."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject


def gain(subject: Subject) -> Response:
    """Return the response with the energies of the place times 1 + strength."""
    showers = subject.response["showers"]
    return {"showers": np.where(subject.where, showers * (1.0 + subject.strength), showers)}


GAIN = Fault("energies are scaled", "relative change", "", gain, low=-1.0)
