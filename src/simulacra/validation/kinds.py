"""What validation knows of each kind of detector beyond its observables: one row per kind.

Everything else works on observables, conditions and the detector's scale alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulacra.arrays import FloatArray
from simulacra.detectors import Detector
from simulacra.events import Events
from simulacra.files.entry_points import Table
from simulacra.validation.classifiers.table import Table as Features
from simulacra.validation.division import Division
from simulacra.validation.summary import SummaryName

if TYPE_CHECKING:
    from simulacra.validation.compared import Compared
    from simulacra.validation.result import Validation


def _no_tables(_: Events, __: FloatArray) -> dict[str, Features]:
    return {}


def _nothing_more(validation: Validation, _: Compared) -> Validation:
    return validation


@dataclass(frozen=True, slots=True)
class Scale:
    """What reports call a detector's scale.

    Attributes:
        one, many: in running text.
        axis: on the axis of a plot.
    """

    one: str = "energy"
    many: str = "energies"
    axis: str = "incident energy"


@dataclass(frozen=True, slots=True)
class Kind:
    """What validation knows of a kind of detector.

    Attributes:
        scale: what the detector's scale is called.
        summary: what a distribution is summarised by.
        tables: what classifiers see of the response, given the features of the conditions.
        divisions: further groupings of a detector's events.
        complete: returns the result with what only this kind has.
    """

    scale: Scale = Scale()
    summary: SummaryName = "moments"
    tables: Callable[[Events, FloatArray], dict[str, Features]] = _no_tables
    divisions: Callable[[Any], tuple[Division, ...]] = lambda _: ()
    complete: Callable[[Validation, Compared], Validation] = _nothing_more


KINDS: Table[Kind] = Table(
    "simulacra.validation",
    {
        "calorimeter": "simulacra.validation.calorimeter.kind:KIND",
        "tpc": "simulacra.validation.tpc.kind:KIND",
        "jet-image": "simulacra.validation.jets.kind:KIND",
    },
)
"""Other packages add rows; a kind without one is validated by its observables alone."""


def kind_of(detector: Detector) -> Kind:
    """Return what validation knows of the detector's kind."""
    return KINDS.get(detector.kind, Kind())
