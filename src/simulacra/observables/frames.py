"""Events as a pandas table and as histograms: their conditions and observables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hist
import numpy as np

from simulacra.arrays import Array, FloatArray
from simulacra.detectors import Detector
from simulacra.errors import EventsError, MissingDependencyError
from simulacra.events import Events
from simulacra.observables import (
    Axis,
    Observable,
    fixed_observables,
    observables_of,
    observe,
)
from simulacra.observables.axis import LINEAR, LOG
from simulacra.observables.kinds import KINDS
from simulacra.statistics.histograms import binning_of

MARGIN = 1e-6
"""Part of the range of the values by which bins of equal width go beyond it, against rounding."""


def to_pandas(events: Events, observables: Sequence[str] | None = None) -> Any:  # noqa: ANN401
    """Return a table (``pandas.DataFrame``) of conditions and observables, a row for each event.

    See :meth:`simulacra.Events.to_pandas`.
    """
    try:
        import pandas
    except ImportError:
        msg = "tables need pandas: pip install 'simulacra[pandas]'"
        raise MissingDependencyError(msg) from None
    return pandas.DataFrame(columns_of(events, observables))


def columns_of(events: Events, observables: Sequence[str] | None = None) -> dict[str, Array]:
    """Return conditions and observables (n,) of events by name.

    Args:
        events: the events.
        observables: the names; None: those of a short table of that kind of detector.

    Raises:
        EventsError: the detector has no such observable.
    """
    known = _known(events.detector)
    if observables is None:
        row = KINDS.get(events.detector.kind)
        groups = () if row is None else row.summary
        chosen = [o for o in known.values() if o.group in groups]
    else:
        chosen = [_found(name, known) for name in observables]
    return {**events.conditions, **observe(events, chosen)}


def to_hist(events: Events, name: str, bins: int | Sequence[float] | None = None) -> hist.Hist[Any]:
    """Return the histogram of an observable or of a condition.

    Values that are not finite, such as an observable that an event does not define, are not
    counted. See :meth:`simulacra.Events.to_hist`.
    """
    known = _known(events.detector)
    if name in events.conditions and name not in known:
        spec = events.detector.conditions.get(name)
        values = events.conditions[name]
        if spec is not None and spec.categories:
            axis = hist.axis.IntCategory(spec.categories, name=name, label=name)
            return hist.Hist(axis).fill(values.astype(int))
        unit = spec.unit if spec else ""
        places = LOG if spec is not None and spec.role == "log" else LINEAR
        return _filled(values.astype(np.float64), name, name, unit, places, bins)
    found = _found(name, known, *events.conditions)
    return _filled(found(events), name, found.label, found.unit, found.axis, bins)


def _filled(
    values: FloatArray,
    name: str,
    label: str,
    unit: str,
    places: Axis,
    bins: int | Sequence[float] | None,
) -> hist.Hist[Any]:
    values = values[np.isfinite(values)]
    if not len(values):
        msg = f"{name}: no finite values"
        raise EventsError(msg)
    if bins is None:
        edges = places.values(binning_of(places.places(values)).edges)
    elif isinstance(bins, int):
        edges = places.values(_equal_edges(places.places(values), bins))
    else:
        edges = np.asarray(bins, np.float64)
    text = f"{label} [{unit}]" if unit else label
    return hist.Hist(hist.axis.Variable(edges, name=name, label=text)).fill(values)


def _equal_edges(values: FloatArray, bins: int) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * max(high - low, abs(low), abs(high), MARGIN)
    return np.linspace(low - margin, high + margin, bins + 1)


def _known(detector: Detector) -> dict[str, Observable]:
    """Return the observables of a detector by name; none where its kind has none."""
    if detector.kind not in KINDS:
        return {}
    return {o.name: o for o in (*observables_of(detector), *fixed_observables(detector))}


def _found(name: str, known: dict[str, Observable], *others: str) -> Observable:
    if name not in known:
        msg = f"no observable {name!r} among {', '.join([*others, *known])}"
        raise EventsError(msg)
    return known[name]
