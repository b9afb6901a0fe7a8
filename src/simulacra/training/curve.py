"""The learning curve: score and loss terms against the step, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from simulacra.training.journal import losses_of


def write_curve(history: Sequence[Mapping[str, float]], selected: int, path: Path) -> None:
    """Draw the evaluations of a training.

    Args:
        history: the evaluations, at least one.
        selected: the step that was selected.
        path: the PNG file.
    """
    # slow to import, and a training needs it once, at its end
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), dpi=100)
    FigureCanvasAgg(figure)
    steps = np.array([row["step"] for row in history])
    score, losses = figure.subplots(2, 1, sharex=True)
    score.plot(steps, [row["score"] for row in history], "o-", ms=3, color="#c8102e", label="score")
    score.plot(steps, [row["floor"] for row in history], "--", color="0.4", label="full simulation")
    score.axvline(selected, color="0.7", lw=1, label=f"selected: step {selected}")
    score.set_ylabel("selection score")
    for name in losses_of(history[-1]):
        losses.plot(steps, [row.get(name, np.nan) for row in history], "o-", ms=3, label=name)
    losses.set_xlabel("step")
    losses.set_ylabel("loss terms")
    for axes in (score, losses):
        axes.grid(color="0.9")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Software": None})
