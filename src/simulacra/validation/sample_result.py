"""What the metrics of whole samples give: pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulacra.validation.metrics.record import Baseline, Estimate, Score


@dataclass(frozen=True, slots=True)
class ClassifierTest:
    """A classifier test of two samples in the features of one table.

    Attributes:
        classifier: ``trees`` or ``MLP``.
        features: the name of the table of features.
        auc: area under the ROC curve of events never seen; 0.5 where nothing is found.
        jsd: Jensen-Shannon divergence of its calibrated probabilities, in bits.
        energies: the AUC among the events of each energy.
        worst: the energy with the highest AUC, two errors taken off.
        n: events of either sample it was judged by.
        baseline_auc, baseline_jsd: the same procedure with full simulation alone; their ``n``
            counts the events that it was tested on.
        baseline_energies: the baseline's AUC among the events of each energy.
    """

    classifier: str
    features: str
    auc: Estimate
    jsd: Estimate
    energies: Mapping[str, Estimate]
    worst: str
    n: int
    baseline_auc: Baseline | None
    baseline_jsd: Baseline | None
    baseline_energies: Mapping[str, Estimate]

    def __repr__(self) -> str:
        """Return features, classifier and both numbers in one line."""
        name = f"{self.features}, {self.classifier}"
        return f"ClassifierTest({name}: AUC {self.auc}, JSD {self.jsd})"

    @property
    def scores(self) -> tuple[Score, Score]:
        """AUC and JSD as the records that all metrics are."""
        name, n = f"{self.features}, {self.classifier}", (self.n, self.n)
        return (
            Score("auc", f"AUC, {name}", self.features, self.auc, self.baseline_auc, n),
            Score("jsd", f"JSD, {name}", self.features, self.jsd, self.baseline_jsd, n),
        )


@dataclass(frozen=True, slots=True)
class SampleComparison:
    """All classifiers and metrics of whole samples.

    Attributes:
        profile: ``quick`` or ``official``.
        classifier_tests: one for each classifier and table of features.
        scores: the other metrics.
        energies: the other metrics at each energy that has enough events.
        worse: for each table of features the classifier with the higher AUC: the one that counts.
    """

    profile: str
    classifier_tests: tuple[ClassifierTest, ...]
    scores: tuple[Score, ...]
    energies: Mapping[str, tuple[Score, ...]]
    worse: Mapping[str, str]

    def __repr__(self) -> str:
        """Return the highest AUC and the number of metrics in one line."""
        auc = max((a.auc for a in self.classifier_tests), key=lambda auc: auc.value, default="–")
        return f"SampleComparison({self.profile}: highest AUC {auc}, {len(self.scores)} metrics)"


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One line of the table of classifiers and sample metrics."""

    name: str
    score: Estimate
    baseline: Estimate | None
    baseline_kind: str
    worst_energy: str
    counts: bool

    def cells(self) -> tuple[str, str, str, str]:
        """Return name, score, baseline and the worst energy as text; a star where it counts."""
        baseline = "–" if self.baseline is None else f"{self.baseline} ({self.baseline_kind})"
        return (
            f"{self.name}{' *' if self.counts else ''}",
            str(self.score),
            baseline,
            self.worst_energy,
        )


def sample_rows(samples: SampleComparison | None) -> list[SampleRow]:
    """Return classifiers and then metrics, one row each; ``counts`` marks the worse classifier."""
    if samples is None:
        return []
    rows = []
    for a in samples.classifier_tests:
        worse = samples.worse[a.features] == a.classifier
        worst = f"{a.energies[a.worst]} at {a.worst}" if a.worst else "–"
        auc, jsd = a.scores
        rows += [_row(auc, worst, counts=worse), _row(jsd)]
    return rows + [_row(score) for score in samples.scores]


def energy_rows(samples: SampleComparison | None) -> list[tuple[str, dict[str, str]]]:
    """Return a row for each score with its text at each energy: score / baseline.

    Of the classifiers, the one with the higher AUC at that energy counts.
    """
    if samples is None:
        return []
    rows: dict[str, dict[str, str]] = {}
    for features in samples.worse:
        found = [a for a in samples.classifier_tests if a.features == features]
        for label in found[0].energies:
            worse = max(found, key=lambda a: a.energies[label].value)
            baseline = worse.baseline_energies.get(label)
            text = _beside(worse.energies[label], baseline)
            rows.setdefault(f"AUC, {features}", {})[label] = f"{text}, {worse.classifier}"
    for label, scores in samples.energies.items():
        for score in scores:
            rows.setdefault(score.label, {})[label] = _beside(score.score, _estimate(score))
    return list(rows.items())


def _beside(score: Estimate, baseline: Estimate | None) -> str:
    return f"{score} / {'–' if baseline is None else baseline}"


def _row(score: Score, worst: str = "", *, counts: bool = False) -> SampleRow:
    kind = "" if score.baseline is None else score.baseline.kind
    return SampleRow(score.label, score.score, _estimate(score), kind, worst, counts)


def _estimate(score: Score) -> Estimate | None:
    return None if score.baseline is None else score.baseline.estimate
