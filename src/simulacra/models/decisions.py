"""What a card leaves to detector and sample: decided once, printed, and written down."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

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
    config, notes = symmetries.decide(config, events)
    detector = events.detector
    if not isinstance(config, Sided) or not isinstance(detector, Calorimeter):
        return config, notes
    there = has_sides(detector)
    if config.sides and not there:
        msg = f"sides: {detector.name} does not say where its particles fly between its sides"
        raise CardError(msg)
    used = there if config.sides is None else config.sides
    if used:
        notes = (*notes, "sides of the stack: used")
    return config.model_copy(update={"sides": used}), notes
