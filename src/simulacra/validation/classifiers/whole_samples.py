"""Judging whole samples: classifiers and metrics in many dimensions, each beside its baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import IntArray
from simulacra.energies import EnergyGroup
from simulacra.files.devices import CPU
from simulacra.files.progress import OnProgress, silent, tracked
from simulacra.statistics.rounding import is_constant
from simulacra.validation.classifiers.classifier_test import (
    CLASSIFIERS,
    ClassifierOptions,
    ClassifierScore,
    classify,
    worst_energy,
)
from simulacra.validation.classifiers.features import CLASSIFIED, sample_tables
from simulacra.validation.classifiers.mlp import MlpOptions
from simulacra.validation.classifiers.split import matched_split
from simulacra.validation.classifiers.table import Table
from simulacra.validation.comparer import Samples
from simulacra.validation.metrics.catalogue import SAMPLE_METRICS
from simulacra.validation.metrics.record import Baseline, BaselineKind, Score
from simulacra.validation.metrics.sample_scores import Tables, scores_of
from simulacra.validation.metrics.strata import Strata
from simulacra.validation.sample import Sample
from simulacra.validation.sample_result import ClassifierTest, SampleComparison

Profile = Literal["quick", "official"]
SAMPLES = ("reference", "generated", "baseline")
FEWEST_AT_ENERGY = 50
"""Events of either sample that metrics of whole samples need at an energy."""


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """How thoroughly samples are judged.

    Attributes:
        classifier: of the classifiers.
        neighbours: most events of either sample in precision, recall, density and coverage.
    """

    classifier: ClassifierOptions
    neighbours: int | None

    def on(self, device: str) -> ProfileOptions:
        """Return the options with the networks on a device."""
        mlp = replace(self.classifier.mlp, device=device)
        return replace(self, classifier=replace(self.classifier, mlp=mlp))


PROFILES: Mapping[Profile, ProfileOptions] = MappingProxyType(
    {
        "quick": ProfileOptions(
            ClassifierOptions((0.5, 0.15), 100, MlpOptions((256, 256), 1e-3, 256, 12)), 5_000
        ),
        # the network, its training and the split are CaloChallenge's (arXiv:2410.21611)
        "official": ProfileOptions(
            ClassifierOptions((0.6, 0.2), 500, MlpOptions((2048,) * 3, 2e-4, 1000, 50)), None
        ),
    }
)


@dataclass(frozen=True, slots=True)
class _Features:
    """A sample ready to be judged: whole events that belong to an energy of both samples."""

    tables: Mapping[str, Table]
    conditions: NDArray[np.float32]
    groups: IntArray
    rows: IntArray

    def take(self, rows: IntArray) -> _Features:
        tables = {name: table[rows] for name, table in self.tables.items()}
        return _Features(tables, self.conditions[rows], self.groups[rows], self.rows[rows])

    def __len__(self) -> int:
        return len(self.groups)


def judge_samples(
    samples: Samples,
    groups: tuple[EnergyGroup, ...],
    profile: Profile,
    rng: np.random.Generator,
    on_progress: OnProgress = silent,
    *,
    device: str = CPU,
) -> tuple[SampleComparison, list[str]]:
    """Judge generated events by classifiers and by metrics of whole samples.

    Args:
        samples: reference, generated events and, if there are, independent reference events; and
            which of them have equal conditions.
        groups: energies that both samples have; other events are left out.
        profile: ``quick`` for minutes, ``official`` for CaloChallenge's classifier.
        rng: what splits, trainings and baselines are drawn from.
        on_progress: called with (phase, done, total).
        device: where the networks of classifiers run.

    Returns:
        The result, and notes on what a reader must know of it.
    """
    present = [s for s in (samples.reference, samples.generated, samples.baseline) if s is not None]
    ready = [_prepare(sample, groups) for sample in present]
    notes = [
        f"{name} sample: {len(sample) - len(used)} events with broken numbers or of an energy "
        "that the other lacks are left out of classifiers and sample metrics"
        for name, sample, used in zip(SAMPLES, present, ready, strict=False)
        if len(used) < len(sample)
    ]
    if min(len(sample) for sample in ready[:2]) == 0:
        return SampleComparison(profile, (), (), {}, {}), [
            *notes,
            "too few events for sample metrics",
        ]
    scale = _Standard.of(ready[0].tables["observables"])
    ready = [scale.added_to(sample) for sample in ready if len(sample)]
    ref, gen = ready[:2]
    extra = ready[2] if len(ready) > 2 else None
    options = PROFILES[profile].on(device)
    strata = samples.strata
    classifier_tests = _classifier_tests(
        ref, gen, extra, groups, options.classifier, rng, on_progress
    )
    if len(classifier_tests) == 0:
        notes.append("too few events for classifiers")
    on_progress("metrics of whole samples", 0, 1)
    scores, cautions = _scores((ref, gen, extra), strata, options, rng)
    energies = _scores_by_energy((ref, gen, extra), strata, groups, options, rng, on_progress)
    comparison = SampleComparison(
        profile, classifier_tests, scores, energies, _worse(classifier_tests)
    )
    return comparison, notes + cautions


def _scores_by_energy(
    ready: tuple[_Features, _Features, _Features | None],
    strata: Strata | None,
    groups: tuple[EnergyGroup, ...],
    options: ProfileOptions,
    rng: np.random.Generator,
    on_progress: OnProgress,
) -> dict[str, tuple[Score, ...]]:
    """Return the metrics at each energy that has enough events of all samples."""
    samples = [sample for sample in ready if sample is not None]
    found = {}
    for i, group in enumerate(tracked("metrics of whole samples", groups, on_progress)):
        here = [sample.take(np.flatnonzero(sample.groups == i)) for sample in samples]
        if min(map(len, here)) >= FEWEST_AT_ENERGY:
            more = here[2] if len(here) > 2 else None
            found[group.label], _ = _scores((here[0], here[1], more), strata, options, rng)
    return found


@dataclass(frozen=True, slots=True)
class _Standard:
    """Mean and width of the reference's observables, (f,)."""

    mean: NDArray[np.float32]
    width: NDArray[np.float32]

    @classmethod
    def of(cls, table: Table) -> _Standard:
        width = table.std(axis=0)
        return cls(table.mean(axis=0), np.where(is_constant(table), np.float32(1), width))

    def added_to(self, sample: _Features) -> _Features:
        standardised = (sample.tables["observables"] - self.mean) / self.width
        return _Features(
            {**sample.tables, "standardised": standardised},
            sample.conditions,
            sample.groups,
            sample.rows,
        )


def _prepare(sample: Sample, groups: tuple[EnergyGroup, ...]) -> _Features:
    index = np.full(len(sample), -1)
    for i, group in enumerate(groups):
        index[group.select(sample.energies)] = i
    good = (index >= 0) & sample.whole
    used = sample.take(good)
    conditions = used.conditions.matrix(tuple(used.conditions.columns))
    return _Features(sample_tables(used), conditions, index[good], used.rows)


def _scores(
    ready: tuple[_Features, _Features, _Features | None],
    strata: Strata | None,
    options: ProfileOptions,
    rng: np.random.Generator,
) -> tuple[tuple[Score, ...], list[str]]:
    ref, gen, extra = ready
    here = None if strata is None else strata.take(ref.rows, gen.rows)
    shared = here if here is not None and here.are_shared else None
    scores: list[Score] = []
    cautions: list[str | None] = []
    if extra is not None and shared is None and len(extra) < len(gen):
        cautions.append(
            f"the baseline sample has {len(extra)} events, fewer than the generated one: the "
            "baselines of FPD, KPD and correlations are those of pairs drawn from the reference"
        )
    for metric in SAMPLE_METRICS:
        name = metric.features
        if name in ref.tables:
            more = None if extra is None else extra.tables[name]
            tables = Tables(ref.tables[name], gen.tables[name], more, shared)
            scores += scores_of(metric, tables, options.neighbours, rng)
            cautions.append(metric.caution(min(len(ref), len(gen))))
    return tuple(scores), [text for text in cautions if text is not None]


def _classifier_tests(
    ref: _Features,
    gen: _Features,
    extra: _Features | None,
    groups: tuple[EnergyGroup, ...],
    options: ClassifierOptions,
    rng: np.random.Generator,
    on_progress: OnProgress,
) -> tuple[ClassifierTest, ...]:
    order = rng.permutation(len(ref))
    pair = (ref.take(order[::2]), ref.take(order[1::2])) if extra is None else (ref, extra)
    kind: BaselineKind = "halves" if extra is None else "sample"
    scores = _classified(ref, gen, groups, options, rng, partial(on_progress, "classifiers"))
    baselines = _classified(
        *pair, groups, options, rng, partial(on_progress, "classifiers' baselines")
    )
    return tuple(
        ClassifierTest(
            classifier=classifier,
            features=features,
            auc=score.auc,
            jsd=score.jsd,
            energies=score.energies,
            worst=worst_energy(score.energies)[0],
            n=score.n,
            baseline_auc=None
            if baseline is None
            else Baseline(kind, baseline.auc, (baseline.n, baseline.n)),
            baseline_jsd=None
            if baseline is None
            else Baseline(kind, baseline.jsd, (baseline.n, baseline.n)),
            baseline_energies={} if baseline is None else baseline.energies,
        )
        for (features, classifier), score in scores.items()
        for baseline in [baselines.get((features, classifier))]
    )


def _classified(
    ref: _Features,
    gen: _Features,
    groups: tuple[EnergyGroup, ...],
    options: ClassifierOptions,
    rng: np.random.Generator,
    on_trained: Callable[[int, int], None],
) -> dict[tuple[str, str], ClassifierScore]:
    """Return the score of each table of features and classifier; all share one split."""
    labels = {i: group.label for i, group in enumerate(groups)}
    own = ref.groups, gen.groups
    split = matched_split((ref.conditions, gen.conditions), own, options.parts, rng)
    classified = [features for features in CLASSIFIED if features in ref.tables]
    seeds = rng.integers(2**31, size=(len(classified), len(CLASSIFIERS))).tolist()
    found = {}
    for i, (features, row) in enumerate(zip(classified, seeds, strict=True)):
        for j, (classifier, seed) in enumerate(zip(CLASSIFIERS, row, strict=True)):
            on_trained(i * len(row) + j, len(classified) * len(row))
            tables = ref.tables[features], gen.tables[features]
            score = classify(classifier, tables, own, labels, split, options, seed)
            if score is not None:
                found[features, classifier] = score
    return found


def _worse(classifier_tests: tuple[ClassifierTest, ...]) -> dict[str, str]:
    """Return for each table of features the classifier with the highest AUC."""
    worse: dict[str, ClassifierTest] = {}
    for score in classifier_tests:
        best = worse.get(score.features)
        if best is None or score.auc.value > best.auc.value:
            worse[score.features] = score
    return {features: score.classifier for features, score in worse.items()}
