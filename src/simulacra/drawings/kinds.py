"""The drawing of each kind of detector: one row a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulacra.files.entry_points import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: Table[Callable[[Any], Figure]] = Table(
    "simulacra.drawings",
    {
        "calorimeter": "simulacra.drawings.calorimeter:draw",
        "tpc": "simulacra.drawings.tpc:draw",
        "jet-image": "simulacra.drawings.jet_image:draw",
    },
)
