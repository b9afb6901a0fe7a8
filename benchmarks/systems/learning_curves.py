"""Physics against training: what each evaluation of a training found, as a picture.

    python benchmarks/systems/learning_curves.py benchmarks/systems/results/*/training.csv

reads the ``metrics.csv`` that ``simulacra train`` wrote, under any name, and draws
``learning-curve.png`` beside it: the selection score, and the mean and width of the headline over
full simulation's, energy by energy, on the selection events. The line is the selected step.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulacra.arrays import FloatArray
from simulacra.validation.report.canvas import BLACK, STYLE, finish, new_figure

Columns = dict[str, FloatArray]


def read_columns(path: Path) -> Columns:
    """Return the columns of the file by name."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


def energies_of(columns: Columns) -> list[str]:
    """Return the labels of the energies, lowest first."""
    return [name.removeprefix("score ") for name in columns if name.startswith("score ")]


def drawn(columns: Columns, title: str) -> Figure:
    """Return the picture."""
    labels = energies_of(columns)
    headline = next(name for name in columns if name.endswith(f" mean {labels[0]}"))
    headline = headline.removesuffix(f" mean {labels[0]}")
    figure = new_figure(11.0, 3.6, "constrained")
    score, mean, width = (figure.add_subplot(1, 3, place) for place in (1, 2, 3))
    minutes = columns["cpu_seconds"] / 60
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(labels)))
    named = ((score, "score"), (mean, f"{headline} mean"), (width, f"{headline} width"))
    for label, colour in zip(labels, colours, strict=True):
        for axes, name in named:
            axes.plot(minutes, columns[f"{name} {label}"], color=colour, lw=1, label=label)
    score.plot(minutes, columns["score"], color=BLACK, lw=2, label="all")
    selected = minutes[np.nanargmin(columns["score"])]
    per_minute = columns["step"][-1] / minutes[-1]
    for axes, label in (
        (score, "selection score"),
        (mean, f"mean {headline} / full simulation's"),
        (width, f"width of {headline} / full simulation's"),
    ):
        axes.axvline(selected, color="0.7", lw=1, zorder=0)
        axes.set(xlabel="CPU time (min)", ylabel=label, yscale="log")
        _with_steps(axes, per_minute)
    for axes in (mean, width):
        axes.axhline(1, color="0.7", lw=1, zorder=0)
    score.legend(fontsize=6, title=title, title_fontsize=8)
    return figure


def _with_steps(axes: Axes, per_minute: float) -> None:
    above = axes.secondary_xaxis("top", (lambda x: x * per_minute, lambda x: x / per_minute))
    above.set_xlabel("steps")


def main() -> None:
    """Draw each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    for path in parser.parse_args().files:
        columns = read_columns(path)
        with mpl.rc_context():
            for group, settings in STYLE.items():
                mpl.rc(group, **settings)
            picture = finish(drawn(columns, path.parent.name))
        (path.parent / "learning-curve.png").write_bytes(picture)


if __name__ == "__main__":
    main()
