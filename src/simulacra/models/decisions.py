"""What a card leaves to detector and sample: decided once, printed, and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from simulacra.detectors import Calorimeter
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.models import symmetries
from simulacra.transforms.calorimeter.sides import has_sides

OFTEN = 0.01
"""Part of the events in which a layer is empty, from which on it is no reference for others."""


@runtime_checkable
class Sided(Protocol):
    """Options of a model whose network can be given the sides of the stack."""

    @property
    def sides(self) -> bool | None:
        """Whether it is; None: to be decided."""


@runtime_checkable
class Dividing(Protocol):
    """Options of a model that learns how layers divide the energy."""

    @property
    def layer_energies(self) -> Literal["ratios", "parts"] | None:
        """As ratios to one layer, or as parts of the incident energy; None: to be decided."""


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


def _decide_layer_energies(
    config: Frozen, detector: Calorimeter, events: Events
) -> tuple[Frozen, tuple[str, ...]]:
    """Return the options with the form of the layers' energies decided."""
    if not isinstance(config, Dividing) or config.layer_energies is not None:
        return config, ()
    name, empty = _reference(events, detector)
    form = "parts" if empty >= OFTEN else "ratios"
    why = f"{name}, the layer with the most energy, is empty in {empty:.1%} of the events"
    notes = (f"layer energies: parts of the incident energy ({why})",) if form == "parts" else ()
    return config.model_copy(update={"layer_energies": form}), notes


def _reference(events: Events, detector: Calorimeter) -> tuple[str, float]:
    """Return the layer with the most energy, and the part of events with energy that lack it."""
    cells, layers = events["showers"], detector.layers
    sums = [cells[:, layer.cells].sum(axis=1, dtype=np.float64) for layer in layers]
    energies = np.column_stack(sums)
    incident = events.conditions["energy"].astype(np.float64)
    reference = int(np.mean(energies / incident[:, None], axis=0).argmax())
    some = energies.sum(axis=1) > 0
    empty = float(np.mean(energies[some, reference] <= 0)) if some.any() else 0.0
    return layers[reference].name, empty


Decision = Callable[[Frozen, Any, Events], tuple[Frozen, tuple[str, ...]]]
"""Options, detector of its kind and training sample -> options and notes."""
DECISIONS: Mapping[str, tuple[Decision, ...]] = MappingProxyType(
    {"calorimeter": (symmetries.decide, _decide_sides, _decide_layer_energies)}
)
"""What is decided for each kind of detector, in this order."""
