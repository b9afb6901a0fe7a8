"""What a card leaves to detector and sample: decided once, printed, and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from simulacra.detectors import Calorimeter
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.models import symmetries
from simulacra.transforms.calorimeter.sides import has_sides


@runtime_checkable
class Sided(Protocol):
    """Options of a model whose network can be given the sides of the stack."""

    @property
    def sides(self) -> bool | None:
        """Whether it is; None: to be decided."""


def decide(config: Frozen, events: Events) -> tuple[Frozen, tuple[str, ...]]:
    """Return a model's options with all of them decided, and notes on what was.

    Args:
        config: options of any model.
        events: the training sample.

    Raises:
        CardError: the options name what the detector does not have.
    """
    notes: tuple[str, ...] = ()
    for decision in DECISIONS.get(events.detector.kind, ()):
        config, found = decision(config, events.detector, events)
        notes += found
    return config, notes


def _decide_sides(
    config: Frozen, detector: Calorimeter, _: Events
) -> tuple[Frozen, tuple[str, ...]]:
    """Return the options with the use of the sides of the stack decided, and a note."""
    if not isinstance(config, Sided):
        return config, ()
    there = has_sides(detector)
    if config.sides and not there:
        msg = f"sides: {detector.name} does not say where its particles fly between its sides"
        raise CardError(msg)
    used = there if config.sides is None else config.sides
    notes = ("sides of the stack: used",) if used else ()
    return config.model_copy(update={"sides": used}), notes


Decision = Callable[[Frozen, Any, Events], tuple[Frozen, tuple[str, ...]]]
"""Options, detector of its kind and training sample -> options and notes."""
DECISIONS: Mapping[str, tuple[Decision, ...]] = MappingProxyType(
    {"calorimeter": (symmetries.decide, _decide_sides)}
)
"""What is decided for each kind of detector, in this order."""
