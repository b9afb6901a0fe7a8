"""A metric of whole samples beside its baseline: the same function of full simulation alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulacra.validation.classifiers.table import Table
from simulacra.validation.metrics.catalogue import SampleMetric
from simulacra.validation.metrics.record import Baseline, BaselineKind, Estimate, Score
from simulacra.validation.metrics.strata import Strata, relabelling


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
) -> list[Score]:
    """Return what a metric gives for the samples and for full simulation against itself.

    Independent events make the baseline where they are as many as the generated ones, or the metric
    takes equally many anyway; a smaller sample would have its own, larger scatter.

    Args:
        metric: a row of :data:`SAMPLE_METRICS`.
        tables: the features it takes, of events without broken numbers.
        most: most events of either sample for metrics that take equally many.
        rng: what draws the parts, the batches and the baseline.
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
        baselines = _paired_baseline(metric, ref, gen, tables.strata, rng)
    elif extra is not None and (metric.equal or len(extra) >= len(gen)):
        baselines = _pair_baseline("sample", metric.function(ref, extra, rng), ref, extra)
    elif metric.replicas:
        baselines = _bootstrap_baseline(metric, ref, len(gen), rng)
    else:
        baselines = _pair_baseline("halves", metric.function(ref, spare, rng), ref, spare)
    rows = zip(metric.names, metric.labels, estimates, baselines, strict=True)
    return [
        Score(name, label, metric.features, estimate, baseline, (len(ref), len(gen)))
        for name, label, estimate, baseline in rows
    ]


def _some(table: Table, n: int, rng: np.random.Generator) -> Table:
    """Return n random rows of a table, or all if it has no more."""
    return table if len(table) <= n else table[rng.choice(len(table), n, replace=False)]


def _pair_baseline(
    kind: Literal["halves", "sample"], estimates: tuple[Estimate, ...], ref: Table, other: Table
) -> list[Baseline]:
    return [Baseline(kind, estimate, (len(ref), len(other))) for estimate in estimates]


def _bootstrap_baseline(
    metric: SampleMetric, ref: Table, n_generated: int, rng: np.random.Generator
) -> list[Baseline]:
    """Return the baseline of pairs of the samples' sizes, drawn with replacement."""
    pairs = (
        (ref[rng.integers(len(ref), size=len(ref))], ref[rng.integers(len(ref), size=n_generated)])
        for _ in range(metric.replicas)
    )
    return _baseline_of_pairs("bootstrap", metric, pairs, (len(ref), n_generated), rng)


def _paired_baseline(
    metric: SampleMetric, ref: Table, gen: Table, strata: Strata, rng: np.random.Generator
) -> list[Baseline]:
    """Return the baseline of pairs in which events with equal conditions have changed places."""
    drawn = relabelling(strata, metric.replicas, rng)
    joined = np.concatenate([ref, gen])
    pairs = ((joined[labels], joined[~labels]) for labels in drawn.labels.T)
    return _baseline_of_pairs("paired", metric, pairs, (len(ref), len(gen)), rng)


def _baseline_of_pairs(
    kind: BaselineKind,
    metric: SampleMetric,
    pairs: Iterable[tuple[Table, Table]],
    n: tuple[int, int],
    rng: np.random.Generator,
) -> list[Baseline]:
    """Return mean and width of the scores of pairs of samples."""
    values = np.array([[e.value for e in metric.function(a, b, rng)] for a, b in pairs])
    width = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(len(values[0]), math.nan)
    return [
        Baseline(kind, Estimate(float(mean), float(error)), n)
        for mean, error in zip(values.mean(axis=0), width, strict=True)
    ]
