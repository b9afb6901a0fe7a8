"""The report on several simulators: one page with all, and a folder with the report of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulacra.errors import SimulacraError
from simulacra.files.atomic import whole_folder
from simulacra.files.progress import OnProgress, silent
from simulacra.validation.metrics.baseline import VERDICTS
from simulacra.validation.report.canvas import Plot, finish, panels, styled
from simulacra.validation.report.html import environment, write_report
from simulacra.validation.report.overlay import overlay_panel
from simulacra.validation.result import title_of
from simulacra.validation.text import side_by_side_rows

if TYPE_CHECKING:
    from simulacra.validation.side_by_side import SideBySide

PAGE = "index.html"
LIST = "simulators.json"
"""The names of the simulators, each with that of its folder."""
MOST_ENERGIES = 4
"""Panels of an observable: energies from the lowest to the highest."""
MOST_OBSERVABLES = 40


def write_overlay_report(
    together: SideBySide, folder: str | Path, on_progress: OnProgress = silent
) -> Path:
    """Write ``index.html`` and a folder per simulator; see :meth:`SideBySide.report`."""
    folder, names = Path(folder), folder_names(tuple(together))
    plots = [*_plots(together, on_progress)]
    header, rows = side_by_side_rows(together.validations)
    html = (
        environment()
        .get_template("side_by_side.html.j2")
        .render(
            detector=together.first.detector,
            header=header,
            rows=list(zip(names.values(), rows, strict=True)),
            notes={name: v.notes for name, v in together.items() if v.notes},
            verdicts=VERDICTS,
            plots=plots,
        )
    )
    with whole_folder(folder) as part:
        for name, own in names.items():
            write_report(together[name], part / own, on_progress)
        (part / PAGE).write_text(html, encoding="utf-8")
        (part / LIST).write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
    return folder / PAGE


def listed_folders(folder: Path) -> tuple[str, ...]:
    """Return the names of the folders in a report on several simulators; none of another folder."""
    try:
        content = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(map(str, content.values())) if isinstance(content, dict) else ()


def folder_names(simulators: tuple[str, ...]) -> dict[str, str]:
    """Return a name of a folder for each simulator.

    Raises:
        SimulacraError: two have the same one.
    """
    names = {name: re.sub(r"[^\w.-]+", "-", name).strip(".-") or "simulator" for name in simulators}
    if len(set(names.values())) < len(names):
        msg = f"simulators of a report need different names: {', '.join(simulators)}"
        raise SimulacraError(msg)
    return names


def _plots(together: SideBySide, on_progress: OnProgress) -> Iterator[Plot]:
    """Yield a figure for each observable: some energies side by side."""
    first = together.first
    compared = first.require_events("a report")
    labels = _energies([group.label for group in first.energies])
    names = [name for name in first.observables if name in first.pooled.comparisons]
    for i, name in enumerate(names[:MOST_OBSERVABLES]):
        on_progress("drawing all simulators", i, min(len(names), MOST_OBSERVABLES))
        own = [label for label in labels if len(compared.values(compared.full, name, label))]
        if not own:
            continue
        with styled():
            figure, pairs = panels(len(own))
            for label, pair in zip(own, pairs, strict=True):
                overlay_panel(*pair, together, name, label)
            left = "" if len(names) <= MOST_OBSERVABLES else f" {MOST_OBSERVABLES} observables."
            png = finish(figure)
        yield Plot(
            f"overlay-{name}",
            title_of(first.observables, name),
            "Share of events per bin; below, fast over full simulation, with the statistical error "
            f"of full simulation in grey. The outer bins hold what lies beyond the axis.{left}",
            png,
        )


def _energies(labels: list[str]) -> list[str]:
    places = np.linspace(0, len(labels) - 1, min(len(labels), MOST_ENERGIES))
    return [labels[int(i)] for i in np.round(places)]
