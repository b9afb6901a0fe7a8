"""The model that learns a detector where none is named: one row a kind of detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulacra.detectors import Detector
from simulacra.errors import CardError
from simulacra.files.entry_points import Table

if TYPE_CHECKING:
    from simulacra.models.system import System

DEFAULTS: Table[type[System]] = Table(
    "simulacra.learning",
    {
        "calorimeter": "simulacra.models.calorimeter.flow_matching:FlowMatching",
        "tpc": "simulacra.models.tpc.helix_flow.helix_flow:HelixFlow",
    },
)


def default_model(detector: Detector) -> str:
    """Return the name of the model for a detector's kind.

    Raises:
        CardError: there is none.
    """
    if detector.kind not in DEFAULTS:
        msg = f"no default model for detectors of kind {detector.kind!r}: name one with --model"
        raise CardError(msg)
    return str(DEFAULTS[detector.kind].Config.model_fields["kind"].default)
