"""Comparing the events of one group, observable by observable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.energies import EnergyGroup
from simulacra.observables import Observable
from simulacra.statistics.rounding import is_constant
from simulacra.validation.division import Division, Part
from simulacra.validation.kinds import kind_of
from simulacra.validation.metrics.baseline import REPLICAS, baseline_of, verdict_of
from simulacra.validation.metrics.catalogue import METRICS, Metric
from simulacra.validation.metrics.moments import Moments, moments
from simulacra.validation.metrics.paired import (
    GIVEN_BY_PAIRS,
    SHIFT,
    paired_scores,
    with_paired_errors,
)
from simulacra.validation.metrics.rank_baseline import RankReplicas, rank_baselines, rank_replicas
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.strata import Relabelling, Strata, relabelling
from simulacra.validation.result import Comparison, GroupResult
from simulacra.validation.sample import Sample

MOST_PAIRED = 2048
"""Events of either sample, about, that give the baselines of samples with shared conditions."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What is compared.

    Attributes:
        reference, generated: the two samples.
        baseline: independent reference events, where there are.
        strata: which events of the sources of both have equal conditions.
    """

    reference: Sample
    generated: Sample
    baseline: Sample | None = None
    strata: Strata | None = None

    @property
    def shared(self) -> Strata | None:
        """The strata of the events of both samples, where conditions are shared."""
        if self.strata is None:
            return None
        here = self.strata.take(self.reference.rows, self.generated.rows)
        return here if here.are_shared else None

    def where(self, chosen: Callable[[Sample], Sample]) -> Samples:
        """Return what a function chooses of each."""
        baseline = None if self.baseline is None else chosen(self.baseline)
        return Samples(chosen(self.reference), chosen(self.generated), baseline, self.strata)

    def within(self, groups: tuple[EnergyGroup, ...]) -> Samples:
        """Return the events of each that are in one of the groups."""
        return self.where(partial(_of_groups, groups))


def _of_part(part: Part, sample: Sample) -> Sample:
    return sample.take(part.select(sample.conditions))


def _of_groups(groups: tuple[EnergyGroup, ...], sample: Sample) -> Sample:
    chosen: BoolArray = np.zeros(len(sample), bool)
    for group in groups:
        chosen |= group.select(sample.energies)
    return sample.take(chosen)


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares groups of events.

    Attributes:
        rng: what the baselines are drawn from, in turn.
        observables: what is compared, by name.
    """

    rng: np.random.Generator
    observables: Mapping[str, Observable]

    def pooled(self, groups: tuple[EnergyGroup, ...], samples: Samples) -> GroupResult:
        """Return the result of all groups together."""
        label = f"all {kind_of(samples.reference.detector).scale.many}"
        return self.group(label, None, groups, samples)

    def group(
        self,
        label: str,
        energy: float | None,
        groups: tuple[EnergyGroup, ...],
        samples: Samples,
        names: Collection[str] | None = None,
    ) -> GroupResult:
        """Return the result of the events of some energies, for all observables or some."""
        samples = samples.within(groups)
        ref, gen, extra = samples.reference, samples.generated, samples.baseline
        shared = samples.shared
        drawn: Relabelling | RankReplicas = (
            rank_replicas(len(ref), len(gen), self.rng)
            if shared is None
            else relabelling(shared, REPLICAS, self.rng, MOST_PAIRED)
        )
        comparisons, undefined, constant = {}, [], []
        for name in self.observables if names is None else names:
            independent = None if extra is None else extra.values[name]
            values = _finite(ref.values[name]), _finite(gen.values[name])
            known = tuple(v[~np.isnan(v)] for v in values)
            if not len(known[0]) or not len(known[1]):
                undefined += [name] * (len(known[0]) > 0)
            elif min(map(len, known)) > 1 and is_constant(np.concatenate(known)):
                constant.append(name)
            else:
                observable = self.observables[name]
                comparisons[name] = self._compare(observable, values, independent, drawn)
        sizes = len(ref), len(gen)
        return GroupResult(label, energy, *sizes, comparisons, tuple(undefined), tuple(constant))

    def divided(
        self, division: Division, groups: tuple[EnergyGroup, ...], samples: Samples
    ) -> tuple[GroupResult, ...]:
        """Return the results of each part that both have: of all energies, then each, if so."""
        found = []
        for part in division.parts:
            own = samples.where(partial(_of_part, part))
            each = groups if division.by_scale else ()
            for label, energy, chosen in ((part.label, None, groups), *_each(part.label, each)):
                here = own.within(chosen)
                if len(here.reference) and len(here.generated):
                    found.append(self.group(label, energy, chosen, here, division.observables))
        return tuple(found)

    def _compare(
        self,
        observable: Observable,
        values: tuple[FloatArray, FloatArray],
        independent: FloatArray | None,
        drawn: Relabelling | RankReplicas,
    ) -> Comparison:
        """Return the comparison of values (n,) and (m,), nan where they do not count."""
        a, b = (v[~np.isnan(v)] for v in values)
        places = observable.axis.places
        first, second = moments(a), moments(b)
        paired = isinstance(drawn, Relabelling)
        metrics = {
            key: _estimate(metric, (a, b), (first, second), places)
            for key, metric in METRICS.items()
            if not (paired and key in GIVEN_BY_PAIRS)
        }
        if isinstance(drawn, Relabelling):
            scores = paired_scores(*values, observable.axis, drawn)
            baseline, baselines = scores.baselines(len(b), first.std.value)
            metrics = with_paired_errors(metrics, values, first, scores, drawn)
        else:
            if independent is not None:
                independent = independent[np.isfinite(independent)]
            further = None if independent is None else places(independent)
            baseline = baseline_of(places(a), len(b), self.rng, further)
            baselines = rank_baselines(a, drawn, independent)
        return Comparison(
            observable=observable.name,
            reference=first,
            generated=second,
            non_finite=(len(values[0]) - len(a), len(values[1]) - len(b)),
            metrics=metrics,
            baseline=baseline,
            verdict=verdict_of(metrics["separation"].value, baseline, metrics.get(SHIFT)),
            baselines=baselines,
        )


def _estimate(
    metric: Metric,
    values: tuple[FloatArray, FloatArray],
    summaries: tuple[Moments, Moments],
    places: Callable[[FloatArray], FloatArray],
) -> Estimate:
    """Return a metric of finite values, given what summarises them."""
    if metric.summary is not None:
        return metric.summary(*summaries)
    a, b = map(places, values) if metric.binned else values
    return metric.function(a, b)


def _finite(values: FloatArray) -> FloatArray:
    """Return the values, nan in place of what is not finite."""
    return np.where(np.isfinite(values), values, np.nan)


def _each(
    part: str, groups: tuple[EnergyGroup, ...]
) -> Iterator[tuple[str, float | None, tuple[EnergyGroup, ...]]]:
    """Yield label, energy and the group itself for each group."""
    for group in groups:
        yield f"{part}, {group.label}", group.energy, (group,)
