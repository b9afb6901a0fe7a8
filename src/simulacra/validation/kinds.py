"""What validation knows of each kind of detector beyond its observables: one row per kind.

Everything else works on observables, conditions and the detector's scale alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulacra.arrays import FloatArray
from simulacra.detectors import Detector
from simulacra.events import Events
from simulacra.validation.calorimeter.cell_features import cell_tables
from simulacra.validation.calorimeter.relations import with_showers
from simulacra.validation.classifiers.table import Table
from simulacra.validation.division import Division, track_divisions
from simulacra.validation.summary import SummaryName
from simulacra.validation.tpc.features import track_tables
from simulacra.validation.tpc.tables import with_tracks

if TYPE_CHECKING:
    from simulacra.validation.compared import Compared
    from simulacra.validation.result import Validation


def _no_tables(_: Events, __: FloatArray) -> dict[str, Table]:
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
    tables: Callable[[Events, FloatArray], dict[str, Table]] = _no_tables
    divisions: Callable[[Any], tuple[Division, ...]] = lambda _: ()
    complete: Callable[[Validation, Compared], Validation] = _nothing_more


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "calorimeter": Kind(tables=cell_tables, complete=with_showers),
        "tpc": Kind(
            scale=Scale("momentum", "momenta", "transverse momentum"),
            summary="quantiles",
            tables=track_tables,
            divisions=track_divisions,
            complete=with_tracks,
        ),
    }
)


def kind_of(detector: Detector) -> Kind:
    """Return what validation knows of the detector's kind."""
    return KINDS.get(detector.kind, Kind())
