"""The result of a validation: pure data, and how it becomes JSON."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulacra.files.json_values import plain
from simulacra.observables import Axis
from simulacra.validation.calorimeter.cell_comparison import CellComparison
from simulacra.validation.calorimeter.impact import ImpactProfile
from simulacra.validation.calorimeter.resolution import Resolution
from simulacra.validation.figures import FigureTable
from simulacra.validation.metrics.baseline import VERDICTS, Floor, Verdict
from simulacra.validation.metrics.calochallenge import LegacyScores
from simulacra.validation.metrics.correlation import Correlations
from simulacra.validation.metrics.one_dimensional import Estimate, Moments
from simulacra.validation.sample_result import SampleComparison
from simulacra.validation.summary import SUMMARIES, SummaryName

SCHEMA_VERSION = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """One observable of the events of one group.

    Attributes:
        observable: its name.
        reference, generated: size, mean and standard deviation of the finite values.
        non_finite: number of values that are not finite, (reference, generated).
        metrics: one estimate for each row of the table of metrics.
        floor: the separation of Geant4 from Geant4 at these sizes.
        verdict: what the separation power means, given the floor.
        floors: the floors of further distances, by the name of the metric.
    """

    observable: str
    reference: Moments
    generated: Moments
    non_finite: tuple[int, int]
    metrics: Mapping[str, Estimate]
    floor: Floor
    verdict: Verdict
    floors: Mapping[str, Floor]

    @property
    def over_floor(self) -> float:
        """Separation power in units of the floor's mean; 1 is perfect, 0/0 counts as 1."""
        score = self.metrics["separation"].value
        if self.floor.mean > 0:
            return score / self.floor.mean
        return 1.0 if score == 0 else math.inf

    @property
    def rank(self) -> tuple[int, float]:
        """What comparisons are ordered by, the worst last: verdict first, then S / floor."""
        return VERDICTS.index(self.verdict), self.over_floor


@dataclass(frozen=True, slots=True)
class GroupResult:
    """All observables of the events of one energy, or of all energies (``energy`` is None).

    Attributes:
        label: the energy as text.
        energy: the point or the bin's middle, MeV.
        n_reference, n_generated: numbers of events.
        comparisons: one for each observable that has finite values in both samples, by name.
        undefined: the observables that have finite values in the reference alone.
        constant: the observables that have one value in all events of both samples, up to rounding:
            there is nothing to compare, and they count in no number of verdicts.
    """

    label: str
    energy: float | None
    n_reference: int
    n_generated: int
    comparisons: Mapping[str, Comparison]
    undefined: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()

    @property
    def worst(self) -> Comparison | None:
        """The comparison that is furthest above its floor."""
        return max(self.comparisons.values(), key=lambda c: c.rank, default=None)


@dataclass(frozen=True, slots=True)
class Invariants:
    """What is impossible or implausible in a sample: counted, never mended.

    Attributes:
        non_finite: numbers of the response that are not finite.
        negative: numbers of the response below zero where it is an energy.
        beyond_limits: events whose headline observable lies far outside the reference.
    """

    non_finite: int
    negative: int
    beyond_limits: int


@dataclass(frozen=True, slots=True)
class ObservableInfo:
    """What the report needs to know of an observable; see :class:`Observable`."""

    label: str
    unit: str
    group: str
    axis: Axis


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """How many limits were checked, and a line of text for each that fails."""

    checked: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """How a generated sample compares with a reference sample of full simulation.

    Attributes:
        detector: the detector's name.
        scale: the condition that "energy" stands for below.
        seed: what the floors were drawn with.
        headline: the observable that comes first, whose mean and width (or median and spread) are
            tabulated.
        summary: which of the two.
        observables: what each name means, in the order of a report.
        limits: the range of the headline observable beyond which events are counted.
        invariants: the counts, for ``reference`` and ``generated``.
        pooled: all energies that both samples have, together.
        energies: one result per energy, ascending.
        divisions: by the name of each further division of the events, its parts: each over all
            energies (``energy`` is None), then energy by energy.
        samples: classifiers and metrics of whole samples; None where they were not asked for.
        notes: what a reader must know to judge the numbers.
        provenance: of this result and of both samples.
        resolution: fits to the headline's width against the energy, if there are enough energies.
        impact_profiles: centres of energy against the impact, where the detector has impacts.
        correlations: between observables at fixed energy.
        cells: mean showers and cells of a calorimeter.
        tables: further numbers of a kind of detector.
        legacy: CaloChallenge's own scores, where they were asked for.
        thresholds: what was required, where something was.
    """

    detector: str
    scale: str
    seed: int
    headline: str
    summary: SummaryName
    observables: Mapping[str, ObservableInfo]
    limits: tuple[float, float]
    invariants: Mapping[str, Invariants]
    pooled: GroupResult
    energies: tuple[GroupResult, ...]
    divisions: Mapping[str, tuple[GroupResult, ...]]
    samples: SampleComparison | None
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
    resolution: Resolution | None = None
    impact_profiles: tuple[ImpactProfile, ...] = ()
    correlations: Correlations | None = None
    cells: CellComparison | None = None
    tables: tuple[FigureTable, ...] = ()
    legacy: LegacyScores | None = None
    thresholds: ThresholdResult | None = None

    @property
    def groups(self) -> tuple[GroupResult, ...]:
        """The pooled result, and then energy after energy."""
        return (self.pooled, *self.energies)

    @property
    def parts(self) -> tuple[GroupResult, ...]:
        """The results of all parts of all divisions."""
        return tuple(group for groups in self.divisions.values() for group in groups)

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``: plain types, None where undefined."""
        verdicts = Counter(c.verdict for g in self.groups for c in g.comparisons.values())
        content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "verdicts": {name: verdicts[name] for name in VERDICTS},
        }
        for field in dataclasses.fields(self):
            content[field.name] = plain(getattr(self, field.name))
        return content


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One line of the table that a user sees first; the ratios are those of the summary."""

    energy: str
    n_reference: int
    n_generated: int
    centre_ratio: Estimate
    width_ratio: Estimate
    worst_observable: str
    worst_separation: float
    worst_over_floor: float
    verdict: Verdict

    def cells(self) -> tuple[str, ...]:
        """Return energy, events, both ratios, worst observable and S / floor."""
        worst = f"{self.worst_observable} ({self.verdict})"
        ratios = str(self.centre_ratio), str(self.width_ratio)
        return self.energy, str(self.n_generated), *ratios, worst, f"{self.worst_over_floor:.2g}"


def summary_rows(validation: Validation) -> list[SummaryRow]:
    """Return one row per group: both ratios of the headline observable, and what is worst."""
    rows = []
    names = SUMMARIES[validation.summary].metrics
    for group in validation.groups:
        headline, worst = group.comparisons.get(validation.headline), group.worst
        if worst is None:
            continue
        metrics = {} if headline is None else headline.metrics
        centre, width = (metrics.get(name, Estimate(math.nan)) for name in names)
        rows.append(
            SummaryRow(
                group.label,
                group.n_reference,
                group.n_generated,
                centre,
                width,
                worst.observable,
                worst.metrics["separation"].value,
                worst.over_floor,
                worst.verdict,
            )
        )
    return rows


def title_of(observables: Mapping[str, ObservableInfo], name: str) -> str:
    """Return a heading for an observable: its label, or its name where that is a formula."""
    label = observables[name].label
    title = label_text(name) if "$" in label else label
    return title[:1].upper() + title[1:]


def label_text(name: str) -> str:
    """Return an observable's or group's name as words."""
    return name.replace("_", " ")
