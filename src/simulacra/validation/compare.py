"""Comparing generated events with full simulation, observable by observable, energy by energy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.detectors import Calorimeter
from simulacra.energies import EnergyGroup, energy_groups
from simulacra.events import EventSource, require_same_detector
from simulacra.observables import observables_of
from simulacra.provenance import provenance
from simulacra.validation.adversary import Profile, judge_samples
from simulacra.validation.cell_comparison import CellComparison, compare_cells
from simulacra.validation.correlation import correlated_names, correlations_of
from simulacra.validation.floor import floor_of, verdict_of
from simulacra.validation.impact import impact_profiles
from simulacra.validation.legacy import legacy_scores
from simulacra.validation.metrics import METRICS, moments
from simulacra.validation.rank_floor import RankReplicas, rank_floors, rank_replicas
from simulacra.validation.resolution import resolution_of
from simulacra.validation.result import (
    Comparison,
    GroupResult,
    Invariants,
    ObservableInfo,
    Validation,
)
from simulacra.validation.sample import Sample, measured
from simulacra.validation.sample_result import SampleComparison

POOLED = "all energies"


def validate(
    reference: EventSource | Sample,
    generated: EventSource | Sample,
    *,
    floor: EventSource | Sample | None = None,
    seed: int = 0,
    profile: Profile | Literal["none"] = "none",
    legacy: str | None = None,
) -> Validation:
    """Compare generated events with a reference sample of the same detector.

    Events may be in memory or in a file (:class:`simulacra.io.EventFile`), which is gone through
    piece by piece. Who needs their observables again, for the report, gives what
    :func:`simulacra.validation.measured` returns of them.

    Args:
        reference: events of the full simulation.
        generated: events of the simulator that is judged.
        floor: further, independent events of the full simulation. With them the floor is their
            score (a random part of them where they are more than the generated ones); without
            them, a bootstrap of the reference.
        seed: what the floors and the classifiers draw from.
        profile: how thoroughly classifiers and metrics of whole samples judge: not at all, in
            minutes, or as in CaloChallenge (hours without a GPU).
        legacy: a CaloChallenge dataset (``2``) whose official scores are added.

    Raises:
        EventsError: the samples are of different detectors.
    """
    require_same_detector(reference.detector, generated.detector)
    if floor is not None:
        require_same_detector(reference.detector, floor.detector)
    ref, gen = measured(reference), measured(generated)
    extra = None if floor is None else measured(floor)
    observables = observables_of(ref.detector)
    comparer = _Comparer(np.random.default_rng(seed))
    groups = energy_groups(ref.energies, gen.energies, scale=ref.detector.scale)
    both, notes = _shared(groups, ref, gen)
    limits = _limits(ref.values[observables[0].name])
    judged, cautions = _judged((ref, gen, extra), both, profile, seed)
    result = Validation(
        detector=ref.detector.name,
        seed=seed,
        headline=observables[0].name,
        observables={o.name: ObservableInfo(o.label, o.unit, o.group) for o in observables},
        limits=limits,
        invariants={
            "reference": _invariants(ref, observables[0].name, limits),
            "generated": _invariants(gen, observables[0].name, limits),
        },
        pooled=comparer.pooled(both, ref, gen, extra),
        energies=tuple(comparer.group(g.label, g.energy, (g,), ref, gen, extra) for g in both),
        samples=judged,
        notes=(*notes, *cautions),
        provenance=provenance(
            "validate",
            reference=dict(ref.source.provenance),
            generated=dict(gen.source.provenance),
            floor=None if extra is None else dict(extra.source.provenance),
        ),
    )
    return replace(
        _with_relations(result, ref, gen, both),
        legacy=None if legacy is None else legacy_scores(ref.source, gen.source, legacy),
    )


def _with_relations(
    result: Validation, ref: Sample, gen: Sample, groups: tuple[EnergyGroup, ...]
) -> Validation:
    """Return the result with what relates observables to energy, impact and each other."""
    names = correlated_names({name: info.group for name, info in result.observables.items()})
    masks = [(g.select(ref.energies), g.select(gen.energies)) for g in groups]
    return replace(
        result,
        resolution=resolution_of(result.energies, result.headline),
        impact_profiles=impact_profiles(_of(groups, ref), _of(groups, gen)),
        cells=_cells(_of(groups, ref), _of(groups, gen)),
        correlations=correlations_of(names, ref.values, gen.values, masks),
    )


def _cells(ref: Sample, gen: Sample) -> CellComparison | None:
    calorimeter = isinstance(ref.detector, Calorimeter)
    return compare_cells(ref.cells, gen.cells) if calorimeter and len(ref) and len(gen) else None


def _judged(
    samples: tuple[Sample, Sample, Sample | None],
    groups: tuple[EnergyGroup, ...],
    profile: Profile | Literal["none"],
    seed: int,
) -> tuple[SampleComparison | None, list[str]]:
    """Return what classifiers and sample metrics say, and notes on it."""
    if profile == "none":
        return None, []
    # a stream of its own: the other numbers are the same for any profile
    stream = np.random.default_rng([seed, 1])
    return judge_samples(samples, groups, profile, stream)


def _shared(
    groups: tuple[EnergyGroup, ...], ref: Sample, gen: Sample
) -> tuple[tuple[EnergyGroup, ...], list[str]]:
    """Return the groups with events in both samples, and notes on the others and on the mixture."""
    both, notes = [], []
    for group in groups:
        n_ref = int(group.select(ref.energies).sum())
        n_gen = int(group.select(gen.energies).sum())
        if n_ref and n_gen:
            both.append((group, n_ref / len(ref), n_gen / len(gen)))
        elif n_ref or n_gen:
            owner, n = ("reference", n_ref) if n_ref else ("generated", n_gen)
            notes.append(f"{group.label}: only the {owner} sample has events ({n}); left out")
    shares = np.array([[a, b] for _, a, b in both])
    if len(both) > 1:
        shares = shares / shares.sum(axis=0)
        if np.abs(shares[:, 0] - shares[:, 1]).max() > 0.05:
            notes.append(
                "the samples mix the energies differently: judge them energy by energy, the "
                "results for all energies together show the mixture as well"
            )
    return tuple(group for group, _, _ in both), notes


@dataclass(frozen=True, slots=True)
class _Comparer:
    """Compares groups of events; ``rng`` is what the floors are drawn from, in turn."""

    rng: np.random.Generator

    def pooled(
        self,
        groups: tuple[EnergyGroup, ...],
        ref: Sample,
        gen: Sample,
        extra: Sample | None,
    ) -> GroupResult | None:
        """Return the result of all groups together."""
        return self.group(POOLED, None, groups, ref, gen, extra) if groups else None

    def group(
        self,
        label: str,
        energy: float | None,
        groups: tuple[EnergyGroup, ...],
        ref: Sample,
        gen: Sample,
        extra: Sample | None,
    ) -> GroupResult:
        """Return the result of the events of some energies."""
        ref, gen = _of(groups, ref), _of(groups, gen)
        if extra is not None:
            extra = self._part(_of(groups, extra), len(gen))
        replicas = rank_replicas(len(ref), len(gen), self.rng)
        comparisons = {}
        for name, values in ref.values.items():
            independent = None if extra is None else extra.values[name]
            comparison = self._compare(name, values, gen.values[name], independent, replicas)
            if comparison is not None:
                comparisons[name] = comparison
        return GroupResult(label, energy, len(ref), len(gen), comparisons)

    def _part(self, sample: Sample, n: int) -> Sample:
        """Return the sample, or n of its events where it has more."""
        if len(sample) <= n:
            return sample
        return sample.take(np.sort(self.rng.choice(len(sample), n, replace=False)))

    def _compare(
        self,
        name: str,
        ref: FloatArray,
        gen: FloatArray,
        independent: FloatArray | None,
        replicas: RankReplicas,
    ) -> Comparison | None:
        a, b = ref[np.isfinite(ref)], gen[np.isfinite(gen)]
        if not len(a) or not len(b):
            return None
        if independent is not None:
            independent = independent[np.isfinite(independent)]
        floor = floor_of(a, len(b), self.rng, independent)
        metrics = {key: metric.function(a, b) for key, metric in METRICS.items()}
        return Comparison(
            observable=name,
            reference=moments(a),
            generated=moments(b),
            non_finite=(len(ref) - len(a), len(gen) - len(b)),
            metrics=metrics,
            floor=floor,
            verdict=verdict_of(metrics["separation"].value, floor),
            floors=rank_floors(a, replicas, independent),
        )


def _of(groups: tuple[EnergyGroup, ...], sample: Sample) -> Sample:
    """Return the events of a sample that are in one of the groups."""
    chosen: BoolArray = np.zeros(len(sample), bool)
    for group in groups:
        chosen |= group.select(sample.energies)
    return sample.take(chosen)


def _limits(headline: FloatArray) -> tuple[float, float]:
    """Return the range of the reference, widened by its own size on either side."""
    finite = headline[np.isfinite(headline)]
    if not len(finite):
        return 0.0, 0.0
    low, high = float(finite.min()), float(finite.max())
    return low - (high - low), high + (high - low)


def _invariants(sample: Sample, name: str, limits: tuple[float, float]) -> Invariants:
    headline = sample.values[name]
    inside = (headline >= limits[0]) & (headline <= limits[1])
    return Invariants(
        non_finite=int(sample.non_finite.sum()),
        negative=int(sample.negative.sum()),
        beyond_limits=int(np.count_nonzero(~inside)),
    )
