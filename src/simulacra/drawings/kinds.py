"""The drawings of each kind of detector: one row a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulacra.faces.lazy import late

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Drawings:
    """The drawings of a kind of detector; their modules load with the first one.

    Attributes:
        detector: draws a detector.
        event: draws the only event of a sample.
    """

    detector: Callable[[Any], Figure]
    event: Callable[[Any], Figure]


KINDS: dict[str, Drawings] = {
    kind: Drawings(
        late(f"simulacra.drawings.{folder}.detector:draw"),
        late(f"simulacra.drawings.{folder}.event:draw"),
    )
    for kind, folder in {"calorimeter": "calorimeter", "tpc": "tpc", "jet-image": "jets"}.items()
}
