"""Plots of the observables that are compared part by part, against the detector's scale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulacra.validation.compared import Compared
from simulacra.validation.kinds import kind_of
from simulacra.validation.report.canvas import BLACK, Plot, finish, log_axis, panels
from simulacra.validation.report.primary_plots import against_scale, centre_label
from simulacra.validation.result import Validation, title_of
from simulacra.validation.summary import SUMMARIES


def division_plots(validation: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield a figure for each division and observable, with a panel for each of its parts."""
    kind, summary = kind_of(compared.detector), SUMMARIES[validation.summary]
    first, second = summary.words
    for division in kind.divisions(compared.detector):
        groups = validation.divisions[division.name]
        for name in division.observables:
            parts = {
                part.label: [
                    (g.energy / 1000, g.comparisons[name])
                    for g in groups
                    if g.energy is not None
                    and g.label.startswith(f"{part.label}, ")
                    and name in g.comparisons
                ]
                for part in division.parts
            }
            drawn = {label: points for label, points in parts.items() if points}
            if not drawn:
                continue
            info = validation.observables[name]
            text = centre_label(summary, info)
            figure, pairs = panels(len(drawn), most_columns=3, width=4.0)
            for (label, points), (main, ratio) in zip(drawn.items(), pairs, strict=True):
                against_scale(main, ratio, points, summary.centre, text, kind.scale.axis)
                if info.axis.kind == "log":
                    both = [m for _, c in points for m in (c.reference, c.generated)]
                    centres = [summary.centre(m).value for m in both]
                    log_axis(main, "y", min(centres), max(centres))
                main.legend(title=label, alignment="left")
                energies = np.array([energy for energy, _ in points])
                widths = np.array([c.metrics[summary.metrics[1]].value for _, c in points])
                ratio.plot(energies, widths, "o", mfc="none", color=BLACK, ms=5)
                span = 1.2 * min(np.nanmax(np.abs(widths - 1), initial=0.0), 1.0)
                ratio.set_ylim(
                    min(1 - span, ratio.get_ylim()[0]), max(1 + span, ratio.get_ylim()[1])
                )
            yield Plot(
                f"division-{division.name.strip('|')}-{name}",
                f"{title_of(validation.observables, name)} by {division.name}",
                f"{first.capitalize()} against the {kind.scale.axis}, with statistical errors; "
                f"below, fast over full simulation: of the {first} (filled) and of the {second} "
                "(open circles).",
                finish(figure),
            )
