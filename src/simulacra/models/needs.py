"""What models ask of a detector."""

from __future__ import annotations

from typing import TypeVar

from simulacra.detectors import Calorimeter, Detector, Tpc
from simulacra.errors import CardError

Kind = TypeVar("Kind", Calorimeter, Tpc)
_WORDS: dict[type, str] = {Calorimeter: "calorimeter", Tpc: "time-projection chamber"}


def calorimeter_for(model: str, detector: Detector) -> Calorimeter:
    """Return the detector, known to be a calorimeter.

    Raises:
        CardError: it is none; the message names the model.
    """
    return _known(model, detector, Calorimeter)


def tpc_for(model: str, detector: Detector) -> Tpc:
    """Return the detector, known to be a time-projection chamber.

    Raises:
        CardError: it is none; the message names the model.
    """
    return _known(model, detector, Tpc)


def _known(model: str, detector: Detector, kind: type[Kind]) -> Kind:
    if not isinstance(detector, kind):
        msg = f"model {model} needs a {_WORDS[kind]}, {detector.name} is a {detector.kind}"
        raise CardError(msg)
    return detector
