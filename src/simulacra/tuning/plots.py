"""The plots of a search: scores in their order, the importance of keys, score against time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.drawings import DPI, FORMATS
from simulacra.drawings.canvas import frame, panels
from simulacra.files.atomic import whole_file
from simulacra.tuning.result import FRONT, HISTORY, IMPORTANCE, TrialResult, Tuning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCORE = "selection score"
FULL, BEST, PALE = "0.4", "#c8102e", "0.7"


def write_plots(tuning: Tuning, folder: Path) -> None:
    """Write the plots of a search as PNG files."""
    drawn = {HISTORY: draw_history(tuning)}
    if tuning.importance:
        drawn[IMPORTANCE] = draw_importance(tuning)
    if len(tuning.card.study.objectives) > 1:
        drawn[FRONT] = draw_front(tuning)
    for name, figure in drawn.items():
        with whole_file(folder / name) as part:
            figure.savefig(part, format="png", dpi=DPI, metadata={FORMATS[".png"]: None})


def draw_history(tuning: Tuning) -> Figure:
    """Draw the score of each trial, and the best one so far."""
    figure, (axes,) = panels(1)
    complete = tuning.complete
    stopped = [t for t in tuning.trials if t.stopped and t.score is not None]
    _points(axes, stopped, "x", PALE, "stopped early, its last score")
    _points(axes, complete, "o", "0.2", "complete")
    _points(axes, [t for t in complete if t.own], "D", "#1f77b4", "the card's own values")
    best = list(accumulate(_scores(complete), min))
    axes.step([t.number for t in complete], best, where="post", color=BEST, label="best so far")
    axes.axhline(tuning.floor, ls="--", color=FULL, label="full simulation")
    axes.set_yscale("log")
    frame(axes, "", "trial", SCORE)
    axes.legend(frameon=False, fontsize=7)
    return figure


def draw_importance(tuning: Tuning) -> Figure:
    """Draw the share of each key in the variance of the scores."""
    figure, (axes,) = panels(1)
    keys = list(tuning.importance)[::-1]
    axes.barh(keys, [tuning.importance[key] for key in keys], color="#1f77b4")
    axes.tick_params(axis="y", labelsize=7)
    frame(axes, "", f"share of the variance of the {SCORE}", "")
    return figure


def draw_front(tuning: Tuning) -> Figure:
    """Draw score against time of each trial, and the front that no trial beats in both."""
    figure, (axes,) = panels(1)
    front, complete = tuning.front, tuning.complete
    axes.plot([t.time or 0.0 for t in complete], _scores(complete), "o", color=PALE, ms=4)
    axes.plot([t.time or 0.0 for t in front], _scores(front), "o-", color=BEST, ms=4, lw=1)
    for trial in front:
        axes.annotate(str(trial.number), (trial.time or 0.0, trial.score or 0.0), fontsize=7)
    axes.axhline(tuning.floor, ls="--", color=FULL)
    axes.set_xscale("log")
    axes.set_yscale("log")
    frame(axes, "trials on the front have their number", "processor time per event [ms]", SCORE)
    return figure


def _points(
    axes: Axes, trials: Sequence[TrialResult], marker: str, colour: str, label: str
) -> None:
    if trials:
        numbers = [trial.number for trial in trials]
        axes.plot(numbers, _scores(trials), marker, color=colour, ms=4, label=label)


def _scores(trials: Sequence[TrialResult]) -> list[float]:
    return [trial.score or 0.0 for trial in trials]
