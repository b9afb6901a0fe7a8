"""The result of a validation: numbers that become JSON, and the events that they are of."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import Field, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.errors import SimulacraError
from simulacra.files.json_values import plain
from simulacra.files.progress import OnProgress, silent
from simulacra.observables import Axis
from simulacra.validation.calorimeter.cell_comparison import CellComparison
from simulacra.validation.calorimeter.impact import ImpactProfile
from simulacra.validation.calorimeter.resolution import Resolution
from simulacra.validation.compared import Compared
from simulacra.validation.figures import FigureTable
from simulacra.validation.metrics.baseline import VERDICTS, DistanceBaseline, Verdict
from simulacra.validation.metrics.calochallenge import LegacyScores
from simulacra.validation.metrics.catalogue import METRICS
from simulacra.validation.metrics.correlation import Correlations
from simulacra.validation.metrics.moments import Moments
from simulacra.validation.metrics.record import Estimate, Score
from simulacra.validation.sample_result import SampleComparison
from simulacra.validation.summary import SUMMARIES, SummaryName

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA_VERSION = 5
FORMER_BASELINE = "floor"
"""A comparison's ``baseline`` by the name that it had up to schema 4, for programs that read it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One observable of the events of one group.

    Attributes:
        observable: its name.
        reference, generated: size, mean and standard deviation of the finite values.
        non_finite: number of values that are not finite, (reference, generated).
        metrics: one estimate for each row of the table of metrics.
        baseline: the separation of Geant4 from Geant4 at these sizes.
        verdict: what the separation power means, given the baseline.
        baselines: the baselines of further distances, by the name of the metric.
    """

    observable: str
    reference: Moments
    generated: Moments
    non_finite: tuple[int, int]
    metrics: Mapping[str, Estimate]
    baseline: DistanceBaseline
    verdict: Verdict
    baselines: Mapping[str, DistanceBaseline]

    def __repr__(self) -> str:
        """Return separation power, baseline and verdict in one line."""
        return (
            f"Comparison({self.observable}: {self.reference.n} full, {self.generated.n} fast; "
            f"mean ratio {self.metrics['mean_ratio']}, S = {self.metrics['separation']}, "
            f"baseline {self.baseline.mean:.4g}: {self.verdict})"
        )

    @property
    def scores(self) -> dict[str, Score]:
        """Each metric as the record that all metrics are, by name."""
        baselines = {"separation": self.baseline, **self.baselines}
        n = self.reference.n, self.generated.n
        found = {}
        for name, estimate in self.metrics.items():
            label = METRICS[name].label if name in METRICS else label_text(name)
            own = baselines.get(name)
            baseline = None if own is None else own.record(n[0])
            found[name] = Score(name, label, self.observable, estimate, baseline, n)
        return found

    @property
    def over_baseline(self) -> float:
        """Separation power in units of the baseline's mean; 1 is perfect, 0/0 counts as 1."""
        score = self.metrics["separation"].value
        if self.baseline.mean > 0:
            return score / self.baseline.mean
        return 1.0 if score == 0 else math.inf

    @property
    def rank(self) -> tuple[int, float]:
        """What comparisons are ordered by, the worst last: verdict first, then S / baseline."""
        return VERDICTS.index(self.verdict), self.over_baseline


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

    def __repr__(self) -> str:
        """Return the numbers of events and of verdicts in one line."""
        counts = ", ".join(f"{name} {number}" for name, number in self.verdicts.items())
        return (
            f"GroupResult({self.label}: {self.n_reference} full, {self.n_generated} fast events; "
            f"{len(self.comparisons)} observables: {counts})"
        )

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """The number of comparisons with each verdict, from the best to the worst."""
        found = Counter(c.verdict for c in self.comparisons.values())
        return {name: found[name] for name in VERDICTS}

    @property
    def worst(self) -> Comparison | None:
        """The comparison that is furthest above its baseline."""
        return max(self.comparisons.values(), key=lambda c: c.rank, default=None)


@dataclass(frozen=True, slots=True)
class Invariants:
    """What is impossible or implausible in a sample: counted, never mended.

    Attributes:
        non_finite: numbers of the response that are not finite.
        negative: numbers of the response below zero where it is an energy.
        beyond_limits: events whose primary observable lies far outside the reference.
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

    Returned by :func:`simulacra.validate` and :meth:`load`. :meth:`table` is the overview,
    :meth:`plot` draws an observable, :meth:`report` writes everything.

    Attributes:
        detector: the detector's name.
        scale: the condition that "energy" stands for below.
        seed: what the baselines were drawn with.
        primary_observable: the one whose mean and width (or median and σ_eff) are tabulated.
        summary: which of the two.
        observables: what each name means, in the order of a report.
        limits: the range of the primary observable beyond which events are counted.
        invariants: the counts, for ``reference`` and ``generated``.
        pooled: all energies that both samples have, together.
        energies: one result per energy, ascending.
        divisions: by the name of each further division of the events, its parts: each over all
            energies (``energy`` is None), then energy by energy.
        samples: classifiers and metrics of whole samples; None where they were not asked for.
        notes: what a reader must know to judge the numbers.
        provenance: of this result and of both samples.
        resolution: fits to the primary observable's width against the energy, if there are enough
            energies.
        impact_profiles: centres of energy against the impact, where the detector has impacts.
        correlations: between observables at fixed energy.
        cells: mean showers and cells of a calorimeter.
        configurations: chi2/ndf of the mean images of each combination of categorical conditions
            and each layer of a calorimeter, the worst first.
        tables: further numbers of a kind of detector.
        legacy: CaloChallenge's own scores, where they were asked for.
        thresholds: what was required, where something was.
        compared: the measured events of both samples; not in ``metrics.json``, so that a result
            that was loaded has None.
    """

    detector: str
    scale: str
    seed: int
    primary_observable: str
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
    configurations: tuple[Score, ...] = ()
    tables: tuple[FigureTable, ...] = ()
    legacy: LegacyScores | None = None
    thresholds: ThresholdResult | None = None
    compared: Compared | None = field(default=None, compare=False, metadata={"stored": False})

    @classmethod
    def load(cls, path: str | Path) -> Validation:
        """Return the result of a report, read from its ``metrics.json``.

        It has all numbers and no events: :meth:`table` and plots against the energy work,
        histograms and reports need :func:`simulacra.validate`. Files of schemas 3 and 4 are
        converted, and a note of the result states it.

        Raises:
            SimulacraError: the file is missing, is no such file, or has another schema version.
        """
        from simulacra.validation.stored import load_validation

        return load_validation(path)

    def report(self, folder: str | Path, on_progress: OnProgress = silent) -> Path:
        """Write ``index.html`` and ``metrics.json``.

        Args:
            folder: appears whole or not at all; its previous content is replaced.
            on_progress: called with (phase, done, total).

        Returns:
            The path of ``index.html``, one file with all plots.

        Raises:
            SimulacraError: the result was loaded from a file and has no events.
        """
        from simulacra.validation.report.html import write_report

        return write_report(self, folder, on_progress)

    def plot(self, observable: str, energy: str | None = None) -> Figure:
        """Draw an observable of both samples, with the ratio below.

        Args:
            observable: its name, such as ``response``; :attr:`observables` has all.
            energy: where: ``"16GeV"``, or the label of one of :attr:`groups`. Without one, centre
                and width against the energy; a histogram where there is a single energy.

        Returns:
            A matplotlib figure: ``figure.savefig("response.pdf")``.

        Raises:
            SimulacraError: there is no such observable or energy, nothing to draw, or a histogram
                is asked of a result that was loaded and has no events.
        """
        from simulacra.validation.report.observable_plot import observable_figure

        return observable_figure(self, observable, energy)

    def table(self) -> str:
        """Return the overview as plain text of at most 40 lines of 100 characters.

        The primary observable at each energy, the verdicts on all observables, and the classifier
        tests where there were any.
        """
        from simulacra.validation.text import table_text

        return table_text(self)

    def __repr__(self) -> str:
        """Return the outcome in at most 12 lines."""
        from simulacra.validation.text import summary_text

        return summary_text(self)

    def _repr_html_(self) -> str:
        """Return the outcome as a table of at most 12 rows, for notebooks."""
        from simulacra.validation.text import summary_html

        return summary_html(self)

    def require_events(self, purpose: str) -> Compared:
        """Return the measured events.

        Args:
            purpose: what they are needed for, as the subject of the message.

        Raises:
            SimulacraError: there are none.
        """
        if self.compared is None:
            msg = f"{purpose} needs events, and a loaded result has numbers only: validate again"
            raise SimulacraError(msg)
        return self.compared

    @property
    def groups(self) -> tuple[GroupResult, ...]:
        """The pooled result, and then energy after energy."""
        return (self.pooled, *self.energies)

    @property
    def parts(self) -> tuple[GroupResult, ...]:
        """The results of all parts of all divisions."""
        return tuple(group for groups in self.divisions.values() for group in groups)

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """The number of comparisons with each verdict, over all groups."""
        return {name: sum(group.verdicts[name] for group in self.groups) for name in VERDICTS}

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``: plain types, None where undefined."""
        content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "verdicts": dict(self.verdicts),
        }
        for stored in stored_fields(Validation):
            content[stored.name] = plain(getattr(self, stored.name))
        parts = [group for groups in content["divisions"].values() for group in groups]
        for group in (content["pooled"], *content["energies"], *parts):
            for comparison in group["comparisons"].values():
                comparison[FORMER_BASELINE] = comparison["baseline"]
        return content


def stored_fields(kind: type) -> tuple[Field[Any], ...]:
    """Return the fields of a dataclass of the result that ``metrics.json`` has."""
    return tuple(f for f in dataclasses.fields(kind) if f.metadata.get("stored", True))


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
    worst_over_baseline: float
    verdict: Verdict

    def cells(self) -> tuple[str, ...]:
        """Return energy, events, both ratios, worst observable and S / baseline."""
        worst = f"{self.worst_observable} ({self.verdict})"
        ratios = str(self.centre_ratio), str(self.width_ratio)
        return self.energy, str(self.n_generated), *ratios, worst, f"{self.worst_over_baseline:.2g}"


def summary_rows(validation: Validation) -> list[SummaryRow]:
    """Return one row per group: both ratios of the primary observable, and what is worst."""
    rows = []
    names = SUMMARIES[validation.summary].metrics
    for group in validation.groups:
        primary, worst = group.comparisons.get(validation.primary_observable), group.worst
        if worst is None:
            continue
        metrics = {} if primary is None else primary.metrics
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
                worst.over_baseline,
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
