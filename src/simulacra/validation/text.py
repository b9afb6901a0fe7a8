"""A validation in words: a table for a terminal, and a summary of a few lines."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from simulacra.validation.metrics.baseline import VERDICTS
from simulacra.validation.metrics.record import UNDEFINED, Estimate
from simulacra.validation.summary import SUMMARIES

if TYPE_CHECKING:
    from simulacra.validation.metrics.record import Score
    from simulacra.validation.result import Comparison, GroupResult, Validation

WIDTH, HEIGHT = 100, 40
"""Characters of a line and lines of the table."""
NOTHING = "–"
Row = tuple[str, ...]


def table_text(validation: Validation) -> str:
    """Return the overview; see :meth:`Validation.table`."""
    words = SUMMARIES[validation.summary].words
    head = [
        _title(validation),
        f"Primary observable: {validation.primary_observable}; S / baseline: separation power over "
        "that of full against full.",
        "",
    ]
    columns = (
        _scale(validation),
        *(f"{word} ratio" for word in words),
        "S / baseline",
        *VERDICTS,
    )
    tail = [*_classifier_lines(validation), *_closing_lines(validation)]
    rows = _fitting([_row(validation, group) for group in validation.groups], tail)
    return "\n".join(map(_cut, [*head, *_aligned(columns, rows), *tail]))


def summary_text(validation: Validation) -> str:
    """Return the outcome in at most 12 lines."""
    facts = _facts(validation)
    indent = max(map(len, facts)) + 2
    lines = [f"  {name.ljust(indent)}{text}" for name, text in facts.items()]
    return "\n".join(map(_cut, [_title(validation), *lines]))


def summary_html(validation: Validation) -> str:
    """Return the outcome as an HTML table of at most 12 rows."""
    left = 'style="text-align:left"'
    rows = (
        f"<tr><th {left}>{html.escape(name)}</th><td {left}>{html.escape(text)}</td></tr>"
        for name, text in _facts(validation).items()
    )
    return f"<table><caption>{html.escape(_title(validation))}</caption>{''.join(rows)}</table>"


def side_by_side_text(validations: Mapping[str, Validation]) -> str:
    """Return one line per simulator; see :meth:`SideBySide.table`."""
    first = next(iter(validations.values()))
    head = f"{len(validations)} simulators of {first.detector} against full simulation"
    return "\n".join(map(_cut, [head, *_aligned(*side_by_side_rows(validations))]))


def side_by_side_rows(validations: Mapping[str, Validation]) -> tuple[Row, list[Row]]:
    """Return the header and one row per simulator.

    Ratios of the primary observable are those furthest from 1 of all energies; the AUC is that of
    the classifier test with the highest one.
    """
    first = next(iter(validations.values()))
    words = SUMMARIES[first.summary].words
    header = "simulator", "events", *(f"worst {word} ratio" for word in words), *VERDICTS, "AUC"
    rows = []
    for name, validation in validations.items():
        ratios = (_furthest(validation, metric) for metric in SUMMARIES[first.summary].metrics)
        counts = (str(validation.verdicts[verdict]) for verdict in VERDICTS)
        auc = next((auc for _, _, auc, *_ in _classifiers(validation)), NOTHING)
        rows.append((name, str(validation.pooled.n_generated), *ratios, *counts, auc))
    return header, rows


def _furthest(validation: Validation, metric: str) -> str:
    """Return the ratio of the primary observable that is furthest from 1, and where it is."""
    name = validation.primary_observable
    found = [
        (group.comparisons[name].metrics[metric], group.label)
        for group in validation.energies
        if name in group.comparisons
        and math.isfinite(group.comparisons[name].metrics[metric].value)
    ]
    if not found:
        return NOTHING
    ratio, label = max(found, key=lambda pair: abs(pair[0].value - 1))
    return f"{ratio} ({label})"


def _title(validation: Validation) -> str:
    pooled = validation.pooled
    return (
        f"Validation of {validation.detector}: {pooled.n_generated} fast against "
        f"{pooled.n_reference} full events"
    )


def _facts(validation: Validation) -> dict[str, str]:
    """Return what to look at first, at most eleven facts, each with its name."""
    pooled, name = validation.pooled, validation.primary_observable
    words = (*(f"{word} ratio" for word in SUMMARIES[validation.summary].words), "S / baseline")
    numbers = zip(words, _row(validation, pooled)[1:], strict=False)
    facts = {
        _scale(validation): ", ".join(group.label for group in validation.energies),
        "verdicts": ", ".join(f"{verdict} {n}" for verdict, n in validation.verdicts.items()),
        name: ", ".join(f"{word} {number}" for word, number in numbers),
    }
    found = [(c, group.label) for group in validation.groups for c in group.comparisons.values()]
    if found:
        worst, label = max(found, key=lambda pair: pair[0].rank)
        facts["furthest"] = f"{worst.observable} at {label}, S / baseline {_over_baseline(worst)}"
    if validation.configurations:
        facts["worst mean image"] = _worst_image(validation.configurations[0])
    for features, classifier, auc, baseline, _ in _classifiers(validation):
        facts.setdefault(
            "classifier test", f"AUC {auc} ({features}, {classifier}), baseline {baseline}"
        )
    if (limits := validation.thresholds) is not None:
        facts["thresholds"] = f"{len(limits.failures)} of {limits.checked} checks fail"
    if validation.notes:
        facts["notes"] = f"{len(validation.notes)}, in .notes: {validation.notes[0]}"
    report = "" if validation.compared is None else ', .report("folder")'
    facts["more"] = f'.table(), .plot("{name}"){report}'
    return facts


def _row(validation: Validation, group: GroupResult) -> Row:
    """Return label, both ratios and S / baseline of the primary observable, and all verdicts."""
    primary = group.comparisons.get(validation.primary_observable)
    metrics = {} if primary is None else primary.metrics
    names = SUMMARIES[validation.summary].metrics
    ratios = (str(metrics.get(name, Estimate(UNDEFINED))) for name in names)
    counts = map(str, group.verdicts.values())
    return group.label, *ratios, _over_baseline(primary), *counts


def _scale(validation: Validation) -> str:
    return validation.scale.replace("_", " ")


def _over_baseline(comparison: Comparison | None) -> str:
    """Return the separation power over its baseline with the verdict."""
    return NOTHING if comparison is None else f"{comparison.over_baseline:.2g} {comparison.verdict}"


def _classifiers(validation: Validation) -> list[Row]:
    """Return features, classifier, AUC, baseline and the worst energy; the highest AUC first.

    Of each table of features, the classifier with the higher AUC.
    """
    if validation.samples is None:
        return []
    worse = validation.samples.worse
    counting = [a for a in validation.samples.classifier_tests if worse[a.features] == a.classifier]
    return [
        (
            a.features,
            a.classifier,
            str(a.auc),
            NOTHING if a.baseline_auc is None else str(a.baseline_auc.estimate),
            f"{a.energies[a.worst]} at {a.worst}" if a.worst else NOTHING,
        )
        for a in sorted(counting, key=lambda a: -a.auc.value)
    ]


def _classifier_lines(validation: Validation) -> list[str]:
    rows = _classifiers(validation)
    if not rows:
        return []
    header = "classifier test", "classifier", "AUC", "baseline", f"worst {_scale(validation)}"
    return ["", *_aligned(header, rows)]


def _closing_lines(validation: Validation) -> list[str]:
    """Return a line for the thresholds and one for the notes, where there are any."""
    lines = []
    if validation.configurations:
        lines.append(f"Worst mean image: {_worst_image(validation.configurations[0])}.")
    if (found := validation.thresholds) is not None:
        lines.append(f"Thresholds: {len(found.failures)} of {found.checked} checks fail.")
    if validation.notes:
        lines.append(f"Notes: {len(validation.notes)}, in validation.notes.")
    return ["", *lines] if lines else []


def _worst_image(score: Score) -> str:
    baseline = NOTHING if score.baseline is None else str(score.baseline.estimate)
    return f"{score.features}, χ²/ndf {score.score}, baseline {baseline}"


def _fitting(rows: Sequence[Row], tail: Sequence[str]) -> list[Row]:
    """Return the rows, without some in the middle where a screen cannot hold all."""
    room = HEIGHT - 4 - len(tail)
    if len(rows) <= room:
        return list(rows)
    first = room // 2
    last = room - first - 1
    left = (f"… {len(rows) - first - last} more", *("" for _ in rows[0][1:]))
    return [*rows[:first], left, *rows[len(rows) - last :]]


def _aligned(header: Row, rows: Iterable[Row]) -> list[str]:
    """Return lines with columns of equal width; the first column is aligned to the left."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    gap = "  " if sum(widths) + 2 * len(widths) <= WIDTH else " "
    return [
        gap.join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _cut(line: str) -> str:
    """Return a line that is not wider than a screen."""
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
