"""What the command line shows: tables on stdout, progress and errors on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.table import Table

    from simulacra.validation import Validation

# a table needs some width, and a log file has no terminal to ask
console = Console(width=None if sys.stdout.isatty() else 110)
errors = Console(stderr=True, soft_wrap=True)


def table(*columns: str) -> Table:
    """Return an empty table that folds long cells."""
    from rich.table import Table

    made = Table()
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_scores(validation: Validation) -> None:
    """Print what a user looks at first: one line per energy, and the adversary's verdict."""
    from simulacra.validation import sample_rows, summary_rows
    from simulacra.validation.result import label_text, title_of
    from simulacra.validation.summary import SUMMARIES

    one = label_text(validation.scale)
    first, second = SUMMARIES[validation.summary].words
    ratios = f"{first} ratio", f"{second} ratio"
    scores = table(one, "events", *ratios, "worst observable", "S / floor")
    headline = title_of(validation.observables, validation.headline)
    scores.caption = (
        f"{first} and {second}, fast over full: {headline}; "
        "S: separation power of the worst observable"
    )
    for row in summary_rows(validation):
        scores.add_row(*row.cells())
    console.print(scores)
    judged = sample_rows(validation.samples)
    if judged:
        samples = table("adversary and sample metrics", "score", "floor", f"worst {one}")
        samples.caption = "* the worse of two classifiers; floor: full simulation against itself"
        for line in judged:
            samples.add_row(*line.cells())
        console.print(samples)


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr; yield what takes (done, total)."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=errors) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def training_bar(label: str) -> Iterator[Callable[[int, int, dict[str, float]], None]]:
    """Show a progress bar on stderr; yield what takes (step, steps, best evaluation)."""
    with bar(label) as update:
        yield lambda step, steps, _best: update(step, steps)
