"""Metrics of whole samples: each is a row of :data:`SAMPLE_METRICS`.

A metric is a function of the reference features (n, f), the generated features (m, f) and a random
generator that returns one estimate for each of its names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulacra.validation.classifiers.table import Table
from simulacra.validation.metrics.correlation import largest_correlation_difference
from simulacra.validation.metrics.distances import (
    FPD_SIZES,
    KPD_SIZE,
    fpd,
    fpd_sizes,
    kpd,
    kpd_size,
)
from simulacra.validation.metrics.neighbours import neighbourhoods
from simulacra.validation.metrics.one_dimensional import Estimate
from simulacra.validation.metrics.strata import Strata, relabelling
from simulacra.validation.sample_result import FloorKind, SampleFloor, SampleScore

SampleFunction = Callable[[Table, Table, np.random.Generator], tuple[Estimate, ...]]


@dataclass(frozen=True, slots=True)
class SampleMetric:
    """A metric of samples and how a table names what it gives.

    Attributes:
        names: unique names of the estimates.
        labels: what a table calls them.
        features: the table of features it takes.
        function: see the module.
        replicas: pairs of samples drawn for the floor: from the reference, or where conditions are
            shared, by events that change places; 0 for metrics that repeated events would spoil,
            whose floor is one half of the reference against the other.
        equal: whether values depend on the numbers of events so much that the score takes as many
            as the floor, and equally many of either sample.
        caution: what to tell of results for n events (of the smaller sample), if anything.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    features: str
    function: SampleFunction
    replicas: int = 0
    equal: bool = False
    caution: Callable[[int], str | None] = lambda _: None


def _fpd(reference: Table, generated: Table, rng: np.random.Generator) -> tuple[Estimate, ...]:
    return (fpd(reference, generated, rng),)


def _kpd(reference: Table, generated: Table, rng: np.random.Generator) -> tuple[Estimate, ...]:
    return (kpd(reference, generated, rng),)


def _few_for_fpd(n: int) -> str | None:
    if n >= FPD_SIZES[0]:
        return None
    small, large = fpd_sizes(n)
    return (
        f"FPD: {n} events, the definition begins with {FPD_SIZES[0]}; batches of {small} to {large}"
        " events instead, so that it compares with its floor but not with published values"
    )


def _few_for_kpd(n: int) -> str | None:
    if n >= KPD_SIZE:
        return None
    return f"KPD: batches of {kpd_size(n)} events instead of {KPD_SIZE}"


_BALLS = ("precision", "recall", "density", "coverage")
SAMPLE_METRICS: tuple[SampleMetric, ...] = (
    SampleMetric(("fpd",), ("FPD",), "observables", _fpd, replicas=10, caution=_few_for_fpd),
    SampleMetric(("kpd",), ("KPD",), "observables", _kpd, replicas=5, caution=_few_for_kpd),
    SampleMetric(
        tuple(f"{name}_observables" for name in _BALLS),
        tuple(f"{name}, observables" for name in _BALLS),
        "standardised",
        neighbourhoods,
        equal=True,
    ),
    SampleMetric(
        tuple(f"{name}_cells" for name in _BALLS),
        tuple(f"{name}, cells" for name in _BALLS),
        "log cells",
        neighbourhoods,
        equal=True,
    ),
    SampleMetric(
        ("correlation_layers",),
        ("largest Δ correlation, layers",),
        "layers",
        largest_correlation_difference,
        replicas=20,
    ),
    SampleMetric(
        ("correlation_observables",),
        ("largest Δ correlation, observables",),
        "observables",
        largest_correlation_difference,
        replicas=20,
    ),
)


@dataclass(frozen=True, slots=True)
class Tables:
    """One table of features of all samples.

    Attributes:
        reference, generated: the two samples.
        independent: more full simulation, if there is any.
        strata: which events have equal conditions, where the samples share them.
    """

    reference: Table
    generated: Table
    independent: Table | None
    strata: Strata | None = None


def scores_of(
    metric: SampleMetric, tables: Tables, most: int | None, rng: np.random.Generator
) -> list[SampleScore]:
    """Return what a metric gives for the samples and for full simulation against itself.

    Independent events make the floor where they are as many as the generated ones, or the metric
    takes equally many anyway; a smaller sample would have its own, larger scatter.

    Args:
        metric: a row of :data:`SAMPLE_METRICS`.
        tables: the features it takes, of events without broken numbers.
        most: most events of either sample for metrics that take equally many.
        rng: what draws the parts, the batches and the floor.
    """
    ref, gen, extra = tables.reference, tables.generated, tables.independent
    if metric.equal:
        room = len(ref) if extra is not None else len(ref) // 2
        sizes = [room, len(gen), most or room] + ([] if extra is None else [len(extra)])
        n = min(sizes)
        halves = ref[rng.permutation(len(ref))]
        ref, gen, spare = halves[:n], _some(gen, n, rng), halves[n : 2 * n]
        extra = None if extra is None else _some(extra, n, rng)
    else:
        spare = ref
        extra = None if extra is None else _some(extra, len(gen), rng)
    estimates = metric.function(ref, gen, rng)
    if metric.replicas and tables.strata is not None:
        floors = _paired_floor(metric, ref, gen, tables.strata, rng)
    elif extra is not None and (metric.equal or len(extra) >= len(gen)):
        floors = _pair_floor("sample", metric.function(ref, extra, rng), ref, extra)
    elif metric.replicas:
        floors = _bootstrap_floor(metric, ref, len(gen), rng)
    else:
        floors = _pair_floor("halves", metric.function(ref, spare, rng), ref, spare)
    rows = zip(metric.names, metric.labels, estimates, floors, strict=True)
    return [
        SampleScore(name, label, metric.features, estimate, floor, (len(ref), len(gen)))
        for name, label, estimate, floor in rows
    ]


def _some(table: Table, n: int, rng: np.random.Generator) -> Table:
    """Return n random rows of a table, or all if it has no more."""
    return table if len(table) <= n else table[rng.choice(len(table), n, replace=False)]


def _pair_floor(
    kind: Literal["halves", "sample"], estimates: tuple[Estimate, ...], ref: Table, other: Table
) -> list[SampleFloor]:
    return [SampleFloor(kind, estimate, (len(ref), len(other))) for estimate in estimates]


def _bootstrap_floor(
    metric: SampleMetric, ref: Table, n_generated: int, rng: np.random.Generator
) -> list[SampleFloor]:
    """Return the floor of pairs of the samples' sizes, drawn with replacement."""
    pairs = (
        (ref[rng.integers(len(ref), size=len(ref))], ref[rng.integers(len(ref), size=n_generated)])
        for _ in range(metric.replicas)
    )
    return _floor_of_pairs("bootstrap", metric, pairs, (len(ref), n_generated), rng)


def _paired_floor(
    metric: SampleMetric, ref: Table, gen: Table, strata: Strata, rng: np.random.Generator
) -> list[SampleFloor]:
    """Return the floor of pairs in which events with equal conditions have changed places."""
    drawn = relabelling(strata, metric.replicas, rng)
    joined = np.concatenate([ref, gen])
    pairs = ((joined[labels], joined[~labels]) for labels in drawn.labels.T)
    return _floor_of_pairs("paired", metric, pairs, (len(ref), len(gen)), rng)


def _floor_of_pairs(
    kind: FloorKind,
    metric: SampleMetric,
    pairs: Iterable[tuple[Table, Table]],
    n: tuple[int, int],
    rng: np.random.Generator,
) -> list[SampleFloor]:
    """Return mean and spread of the scores of pairs of samples."""
    values = np.array([[e.value for e in metric.function(a, b, rng)] for a, b in pairs])
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(len(values[0]), math.nan)
    return [
        SampleFloor(kind, Estimate(float(mean), float(error)), n)
        for mean, error in zip(values.mean(axis=0), spread, strict=True)
    ]
