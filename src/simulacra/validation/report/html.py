"""The report: one HTML file that needs nothing else, and the numbers as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import jinja2

from simulacra.files.atomic import whole_folder
from simulacra.files.progress import OnProgress, silent
from simulacra.validation.kinds import Scale, kind_of
from simulacra.validation.metrics.baseline import CLOSE_FACTOR, SLIGHT_EXCESS
from simulacra.validation.metrics.catalogue import METRICS
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.report.canvas import Plot
from simulacra.validation.report.catalogue import report_plots
from simulacra.validation.report.matrix import division_tables, number_text, verdict_matrix
from simulacra.validation.result import Validation, summary_rows, title_of
from simulacra.validation.sample_result import energy_rows, sample_rows
from simulacra.validation.summary import SUMMARIES

MOST_PROFILES = 12
"""Rows of the table of mean showers; of more profiles, the worst are shown."""


def write_report(
    validation: Validation, folder: str | Path, on_progress: OnProgress = silent
) -> Path:
    """Write ``index.html`` and ``metrics.json``; see :meth:`Validation.report`."""
    folder, compared = Path(folder), validation.require_events("a report")
    plots = [*report_plots(validation, compared, on_progress)]
    html = _render(validation, kind_of(compared.detector).scale, plots)
    metrics = json.dumps(validation.to_json(), indent=1, allow_nan=False, ensure_ascii=False)
    with whole_folder(folder) as part:
        (part / "index.html").write_text(html, encoding="utf-8")
        (part / "metrics.json").write_text(metrics + "\n", encoding="utf-8")
    return folder / "index.html"


def _render(validation: Validation, scale: Scale, plots: list[Plot]) -> str:
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            validation=validation,
            scale=scale,
            summary=SUMMARIES[validation.summary],
            primary_title=title_of(validation.observables, validation.primary_observable),
            divisions=[*division_tables(validation)],
            rows=summary_rows(validation),
            primary=[
                (g.label, g.comparisons.get(validation.primary_observable))
                for g in validation.groups
            ],
            matrix=verdict_matrix(validation),
            metrics=METRICS,
            sample_rows=sample_rows(validation.samples),
            energy_rows=energy_rows(validation.samples),
            counts=validation.to_json()["verdicts"],
            baseline_kinds=sorted(
                {c.baseline.kind for g in validation.groups for c in g.comparisons.values()}
            ),
            close_factor=CLOSE_FACTOR,
            slight_excess=SLIGHT_EXCESS,
            plots=plots,
            profile_rows=_profile_rows(validation),
            legacy=_legacy_rows(validation),
        )
    )


def _profile_rows(validation: Validation) -> list[tuple[str, Estimate]]:
    """Return the profiles of the mean shower; where there are too many, the worst."""
    rows = [] if validation.cells is None else list(validation.cells.profiles.items())
    if len(rows) <= MOST_PROFILES:
        return rows
    known = [row for row in rows if not math.isnan(row[1].value)]
    return sorted(known, key=lambda row: -row[1].value)[:MOST_PROFILES]


def _legacy_rows(validation: Validation) -> list[tuple[str, float, float | None]]:
    """Return quantity, official and own separation power times 1000, averaged over layers."""
    if validation.legacy is None:
        return []
    official: dict[str, list[float]] = {}
    own: dict[str, list[float]] = {}
    for name, score in validation.legacy.separations.items():
        quantity = name.partition(".")[0]
        official.setdefault(quantity, []).append(score)
        comparison = validation.pooled.comparisons.get(validation.legacy.ours.get(name, ""))
        if comparison is not None:
            own.setdefault(quantity, []).append(comparison.metrics["separation"].value)
    return [
        (quantity, 1000 * _mean(scores), 1000 * _mean(own[quantity]) if quantity in own else None)
        for quantity, scores in official.items()
    ]


def _mean(scores: list[float]) -> float:
    """Return the mean of the scores that are defined, nan without any."""
    defined = [score for score in scores if not math.isnan(score)]
    return sum(defined) / len(defined) if defined else math.nan


def environment() -> jinja2.Environment:
    """Return what renders templates of this package."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("simulacra.validation", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["number"] = number_text
    environment.filters["scaled"] = _scaled
    return environment


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    """Return an estimate in another unit."""
    return Estimate(factor * estimate.value, factor * estimate.error)
