"""What a training tells: one line an evaluation, in its log file and for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from simulacra.files.atomic import naming
from simulacra.files.simulator_files import LOG

Row = dict[str, float]
FACTS = ("step", "seconds", "cpu_seconds", "events_per_second", "score", "floor")
"""Columns of an evaluation that are neither a loss term nor of one energy."""


def losses_of(row: Mapping[str, float]) -> dict[str, float]:
    """Return the loss terms of an evaluation; names of its other columns have a space."""
    return {name: v for name, v in row.items() if name not in FACTS and " " not in name}


def described(row: Mapping[str, float], best: Mapping[str, float]) -> str:
    """Return an evaluation in words.

    Args:
        row: the evaluation.
        best: the best one so far; empty where none may be chosen yet.
    """
    losses = ", ".join(f"{name} {value:.4g}" for name, value in losses_of(row).items())
    chosen = f"best {best['score']:.4g} at step {best['step']:.0f}" if best else "none chosen yet"
    return (
        f"loss: {losses}; score {row['score']:.4g} (full simulation {row['floor']:.4g}), {chosen}; "
        f"{row['events_per_second']:.0f} events/s"
    )


def write_line(folder: Path, line: str) -> None:
    """Append a line with the time to a folder's log file."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    log = folder / LOG
    with naming(log), log.open("a", encoding="utf-8") as file:
        file.write(f"{now} {line}\n")
