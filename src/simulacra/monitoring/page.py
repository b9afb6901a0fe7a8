"""What a monitor writes: a summary of each run as JSON, and one page with maps and scores."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from simulacra.drawings.canvas import frame, panels
from simulacra.files.atomic import whole_folder
from simulacra.files.json_values import plain
from simulacra.monitoring.channels import kind_of
from simulacra.monitoring.monitor import Monitor
from simulacra.monitoring.result import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, SUMMARY = "index.html", "monitor.json"
DPI = 90
LEAST = 1e-12
"""Probability at which the plot of windows ends."""
SHOWN = 12
"""Findings of a run on the page."""
DRAWN = 20
"""Runs whose worst window is drawn, the latest ones; the table has all."""
IN_LEGEND = 12
"""Runs that the legend of the windows can hold."""
REFRESH = 5
"""Seconds after which a browser loads a live page again."""


def write_page(monitor: Monitor, runs: Sequence[Run], folder: Path, live: bool = False) -> Path:
    """Write ``monitor.json``, one JSON file for each run, and ``index.html``; return the page.

    Args:
        monitor: that judged the runs.
        runs: in the order of the page.
        folder: the output, which appears whole.
        live: whether a browser loads the page again every few seconds.
    """
    files = file_names([run.name for run in runs])
    listed = {file: run.name for file, run in zip(files, runs, strict=True)}
    facts = {"reference": reference_facts(monitor), "runs": listed}
    html = _render(monitor, runs, live)
    with whole_folder(folder) as part:
        (part / SUMMARY).write_text(_json(facts), encoding="utf-8")
        for file, run in zip(files, runs, strict=True):
            (part / file).write_text(_json(run.facts()), encoding="utf-8")
        (part / PAGE).write_text(html, encoding="utf-8")
    return folder / PAGE


def file_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return a file name for each run, no two alike.

    Example:
        >>> file_names(["data/run 1.h5", "sample:test"])
        ('run-1-run_1.json', 'run-2-sample_test.json')
    """
    return tuple(
        f"run-{i}-{re.sub(r'[^A-Za-z0-9]+', '_', Path(name).stem)}.json"
        for i, name in enumerate(names, 1)
    )


def reference_facts(monitor: Monitor) -> dict[str, Any]:
    """Return the reference and the calibration as JSON has them."""
    fitted, held = monitor.events
    return {
        "detector": monitor.reference.detector.name,
        "events_fitted": fitted,
        "events_held_out": held,
        "window": monitor.window,
        "false_alarm_rate": monitor.rate,
        "counted_down_to": monitor.counted_rate,
        "support": monitor.support,
        "errors_stretched_by": dict(monitor.calibration.stretch),
        "calibration_windows": monitor.drawn,
        "event_thresholds": dict(monitor.thresholds),
        "classifier": monitor.classifier is not None,
    }


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(plain(facts), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _render(monitor: Monitor, runs: Sequence[Run], live: bool) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("simulacra.monitoring", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    drawn = [(run, run.worst, _map(monitor, run)) for run in runs[-DRAWN:]]
    return environment.get_template("page.html.j2").render(
        detector=monitor.reference.detector.name,
        monitor=monitor,
        runs=runs,
        drawn=drawn,
        refresh=REFRESH if live else None,
        most=SHOWN,
        scores=_png(draw_scores(monitor, runs)) if runs else "",
    )


def _map(monitor: Monitor, run: Run) -> str:
    """Return the map of the worst window in base64; empty where none is judged."""
    detector = monitor.reference.detector
    deviations = run.worst.channels
    if not len(deviations):
        return ""
    return _png(kind_of(detector).draw(detector, deviations))


def draw_scores(monitor: Monitor, runs: Sequence[Run]) -> Figure:
    """Draw the probability of each window, run after run, and the rate of false alarms."""
    figure, (axes,) = panels(1)
    figure.set_size_inches(9, 3)
    start = 0
    for run in runs:
        judged = [(i, w.p_value) for i, w in enumerate(run.windows) if w.p_value is not None]
        places = [start + i for i, _ in judged]
        axes.plot(places, np.maximum([p for _, p in judged], LEAST), "o", ms=3, label=run.name)
        start += len(run.windows)
    axes.axhline(monitor.rate, color="#c8102e", lw=1, label=f"alarm below {monitor.rate:g}")
    axes.set_yscale("log")
    axes.set_ylim(LEAST / 2, 2)
    frame(axes, "", "window", "probability")
    if len(runs) <= IN_LEGEND:
        axes.legend(fontsize=7, loc="lower left", frameon=False)
    return figure


def _png(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")
