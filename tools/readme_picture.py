"""Draw the README's picture: the response at four energies, and mean showers side by side.

The command: python tools/readme_picture.py quickstart/fast.h5 docs/images/quickstart.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import SubFigure

from simulacra.datasets.samples import load_sample
from simulacra.energies import energy_groups, scale_of
from simulacra.events import Events
from simulacra.io import read_events
from simulacra.observables import observables_of
from simulacra.validation.report.canvas import Histogram, draw_histograms, new_figure

ENERGIES = ("1 GeV", "8 GeV", "25 GeV", "65 GeV")
LAYER = "middle"


def response_panels(figure: SubFigure, full: Events, fast: Events) -> None:
    """Draw the response at four energies, the generated over Geant4's below each."""
    response = next(o for o in observables_of(full.detector) if o.name == "response")
    groups = [g for g in energy_groups(scale_of(full)) if g.label in ENERGIES]
    axes = figure.subplots(2, len(groups), sharex="col", height_ratios=[3, 1])
    for column, group in enumerate(groups):
        values = [response(e.take(group.select(scale_of(e)))) for e in (full, fast)]
        low, high = np.quantile(values[0], [0.002, 0.998])
        edges = np.linspace(low, high, 26)
        histograms = [Histogram.of(edges, sample) for sample in values]
        draw_histograms(axes[0, column], axes[1, column], edges, *histograms)
        axes[0, column].legend(fontsize=7, title=group.label, frameon=False, loc="upper left")
        axes[0, column].set_ylim(top=axes[0, column].get_ylim()[1] * 1.5)
        axes[1, column].set_xlabel("$E_{tot} / E$")
        if column:
            axes[1, column].set_ylabel("")
    axes[0, 0].set_ylabel("share of events")


def shower_panels(figure: SubFigure, full: Events, fast: Events) -> None:
    """Draw the mean cell energies of a layer, Geant4's and generated."""
    layer = next(la for la in full.detector.layers if la.name == LAYER)
    maps = [
        (e["showers"][:, layer.cells] / e.conditions["energy"][:, None]).mean(axis=0)
        for e in (full, fast)
    ]
    top = max(m.max() for m in maps)
    axes = figure.subplots(1, 2, sharey=True)
    half_x = np.abs(layer.x).max() * layer.shape[0] / (layer.shape[0] - 1)
    half_y = np.abs(layer.y).max() * layer.shape[1] / (layer.shape[1] - 1)
    for axis, cells, name in zip(axes, maps, ("Geant4", "fast"), strict=True):
        image = axis.imshow(
            cells.reshape(layer.shape).T,
            norm=LogNorm(top * 1e-4, top),
            origin="lower",
            extent=(-half_x, half_x, -half_y, half_y),
        )
        axis.set_xlabel(r"$\eta$ [mm]")
        axis.text(0.04, 0.93, f"{name}, {LAYER} layer", transform=axis.transAxes, color="white")
    axes[0].set_ylabel(r"$\phi$ [mm]")
    figure.colorbar(image, ax=axes, label=r"$\langle E_{cell} / E \rangle$")


def main() -> None:
    """Read the generated events and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fast", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    full, fast = load_sample("test"), read_events(arguments.fast)
    figure = new_figure(12, 6.4, layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[1.15, 1])
    response_panels(upper, full, fast)
    shower_panels(lower, full, fast)
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.picture, dpi=110)


if __name__ == "__main__":
    main()
