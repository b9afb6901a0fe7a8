"""What models ask of a detector."""

from __future__ import annotations

from simulacra.detectors import Calorimeter, Detector, Tpc
from simulacra.errors import CardError


def calorimeter_for(model: str, detector: Detector) -> Calorimeter:
    """Return the detector, known to be a calorimeter.

    Raises:
        CardError: it is none; the message names the model.
    """
    if not isinstance(detector, Calorimeter):
        msg = f"model {model} needs a calorimeter, {detector.name} is a {detector.kind}"
        raise CardError(msg)
    return detector


def tpc_for(model: str, detector: Detector) -> Tpc:
    """Return the detector, known to be a time-projection chamber.

    Raises:
        CardError: it is none; the message names the model.
    """
    if not isinstance(detector, Tpc):
        msg = f"model {model} needs a tpc, {detector.name} is a {detector.kind}"
        raise CardError(msg)
    return detector
