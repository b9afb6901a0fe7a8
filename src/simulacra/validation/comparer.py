"""Comparing the events of one group, observable by observable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.energies import EnergyGroup
from simulacra.observables import Observable
from simulacra.validation.division import Division, Part
from simulacra.validation.floor import floor_of, verdict_of
from simulacra.validation.kinds import kind_of
from simulacra.validation.metrics import METRICS, moments
from simulacra.validation.rank_floor import RankReplicas, rank_floors, rank_replicas
from simulacra.validation.result import Comparison, GroupResult
from simulacra.validation.sample import Sample


@dataclass(frozen=True, slots=True)
class Samples:
    """What is compared.

    Attributes:
        reference, generated: the two samples.
        floor: independent reference events, where there are.
    """

    reference: Sample
    generated: Sample
    floor: Sample | None = None

    def where(self, chosen: Callable[[Sample], Sample]) -> Samples:
        """Return what a function chooses of each."""
        floor = None if self.floor is None else chosen(self.floor)
        return Samples(chosen(self.reference), chosen(self.generated), floor)

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
        rng: what the floors are drawn from, in turn.
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
        ref, gen, extra = samples.reference, samples.generated, samples.floor
        if extra is not None:
            extra = self._part(extra, len(gen))
        replicas = rank_replicas(len(ref), len(gen), self.rng)
        comparisons, undefined = {}, []
        for name in self.observables if names is None else names:
            independent = None if extra is None else extra.values[name]
            values = ref.values[name], gen.values[name], independent
            comparison = self._compare(self.observables[name], values, replicas)
            if comparison is not None:
                comparisons[name] = comparison
            elif np.isfinite(values[0]).any():
                undefined.append(name)
        return GroupResult(label, energy, len(ref), len(gen), comparisons, tuple(undefined))

    def divided(
        self, division: Division, groups: tuple[EnergyGroup, ...], samples: Samples
    ) -> tuple[GroupResult, ...]:
        """Return the results of each part that both have: of all energies, then one by one."""
        found = []
        for part in division.parts:
            own = samples.where(partial(_of_part, part))
            for label, energy, chosen in _with_pooled(part.label, groups):
                here = own.within(chosen)
                if len(here.reference) and len(here.generated):
                    found.append(self.group(label, energy, chosen, here, division.observables))
        return tuple(found)

    def _part(self, sample: Sample, n: int) -> Sample:
        """Return the sample, or n of its events where it has more."""
        if len(sample) <= n:
            return sample
        return sample.take(np.sort(self.rng.choice(len(sample), n, replace=False)))

    def _compare(
        self,
        observable: Observable,
        values: tuple[FloatArray, FloatArray, FloatArray | None],
        replicas: RankReplicas,
    ) -> Comparison | None:
        ref, gen, independent = values
        a, b = ref[np.isfinite(ref)], gen[np.isfinite(gen)]
        if not len(a) or not len(b):
            return None
        if independent is not None:
            independent = independent[np.isfinite(independent)]
        places = observable.axis.places
        further = None if independent is None else places(independent)
        floor = floor_of(places(a), len(b), self.rng, further)
        metrics = {
            key: metric.function(places(a), places(b)) if metric.binned else metric.function(a, b)
            for key, metric in METRICS.items()
        }
        return Comparison(
            observable=observable.name,
            reference=moments(a),
            generated=moments(b),
            non_finite=(len(ref) - len(a), len(gen) - len(b)),
            metrics=metrics,
            floor=floor,
            verdict=verdict_of(metrics["separation"].value, floor),
            floors=rank_floors(a, replicas, independent),
        )


def _with_pooled(
    part: str, groups: tuple[EnergyGroup, ...]
) -> Iterator[tuple[str, float | None, tuple[EnergyGroup, ...]]]:
    """Yield label, energy and groups: all of them, then each."""
    yield part, None, groups
    for group in groups:
        yield f"{part}, {group.label}", group.energy, (group,)
