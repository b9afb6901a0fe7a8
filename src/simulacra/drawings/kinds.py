"""The drawings of each kind of detector: one row a kind in each table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulacra.files.entry_points import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: Table[Callable[[Any], Figure]] = Table(
    "simulacra.drawings",
    {
        "calorimeter": "simulacra.drawings.calorimeter.detector:draw",
        "tpc": "simulacra.drawings.tpc.detector:draw",
        "jet-image": "simulacra.drawings.jets.detector:draw",
    },
)
"""The function that draws a detector."""
EVENTS: Table[Callable[[Any], Figure]] = Table(
    "simulacra.event_displays",
    {
        "calorimeter": "simulacra.drawings.calorimeter.event:draw",
        "tpc": "simulacra.drawings.tpc.event:draw",
        "jet-image": "simulacra.drawings.jets.event:draw",
    },
)
"""The function that draws the only event of a sample."""
