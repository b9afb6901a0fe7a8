"""What an observable is: a pure function of events, with a name, a label and a unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulacra.arrays import FloatArray
from simulacra.events import Events


@dataclass(frozen=True, slots=True)
class Observable:
    """A number for each event.

    Attributes:
        name: unique within a detector, ``width_eta.strips``.
        label: what a plot's axis says, LaTeX allowed, without the unit.
        unit: the unit, or an empty text.
        function: events to an array (n,); every entry is finite.
        group: observables that are judged together, ``width_eta``.
    """

    name: str
    label: str
    unit: str
    function: Callable[[Events], FloatArray]
    group: str

    def __call__(self, events: Events) -> FloatArray:
        """Return the observable of each event, shape (n,)."""
        return self.function(events)
