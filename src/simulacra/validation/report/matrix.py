"""Tables of verdicts: observables against energies, and parts of the events against energies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulacra.validation.result import Comparison, GroupResult, Validation, title_of
from simulacra.validation.summary import SUMMARIES

MOST_ROWS = 60
"""Rows of the table of verdicts; with more observables, it has a row per group of observables."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of the table of verdicts: the worst of some comparisons, S / baseline and details."""

    text: str
    verdict: str
    hint: str


@dataclass(frozen=True, slots=True)
class DivisionTable:
    """One observable in the parts of a division: rows are parts, columns energies."""

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Cell | None, ...]]


def verdict_matrix(validation: Validation) -> list[tuple[str, list[Cell | None]]]:
    """Return the table of verdicts: a row per observable (or group), a field per energy."""
    names = {name: [name] for name in validation.observables}
    if len(names) > MOST_ROWS:
        names = {}
        for name, info in validation.observables.items():
            names.setdefault(info.group, []).append(name)
    return [
        (
            row,
            [
                _cell([g.comparisons[n] for n in members if n in g.comparisons])
                for g in validation.groups
            ],
        )
        for row, members in names.items()
    ]


def _cell(comparisons: list[Comparison]) -> Cell | None:
    if not comparisons:
        return None
    worst = max(comparisons, key=lambda c: c.rank)
    score = worst.metrics["separation"].value
    hint = (
        f"{worst.observable}: S = {score:.3g}, baseline {worst.baseline.mean:.3g}, "
        f"95 % of it below {worst.baseline.quantile:.3g}"
    )
    return Cell(number_text(worst.over_baseline, 2), worst.verdict, hint)


def division_tables(validation: Validation) -> Iterator[DivisionTable]:
    """Yield a table for each division and each observable that is compared in it."""
    columns = tuple(group.label for group in validation.groups)
    energies = [group.label for group in validation.energies]
    for division, groups in validation.divisions.items():
        found = {group.label: group for group in groups}
        parts = [group.label for group in groups if group.energy is None]
        names = dict.fromkeys(name for group in groups for name in group.comparisons)
        for name in names:
            rows = {
                part: tuple(
                    _ratios(found.get(label), name, SUMMARIES[validation.summary].metrics)
                    for label in (part, *(f"{part}, {energy}" for energy in energies))
                )
                for part in parts
            }
            title = f"{title_of(validation.observables, name)} by {division}"
            yield DivisionTable(title, columns, rows)


def _ratios(group: GroupResult | None, name: str, metrics: tuple[str, str]) -> Cell | None:
    comparison = None if group is None else group.comparisons.get(name)
    if group is None or comparison is None:
        return None
    centre, width = (comparison.metrics[key] for key in metrics)
    mean, std = (comparison.metrics[key] for key in ("mean_ratio", "width_ratio"))
    hint = (
        f"{group.n_reference} and {group.n_generated} events; mean ratio {mean}, width ratio "
        f"{std}; S / baseline = {number_text(comparison.over_baseline, 2)}"
    )
    return Cell(f"{centre}; {width}", comparison.verdict, hint)


def number_text(value: float | None, digits: int = 3) -> str:
    """Return a number for a table; a dash where it is undefined."""
    if value is None or math.isnan(value):
        return "–"
    return "∞" if math.isinf(value) else f"{value:.{digits}g}"
