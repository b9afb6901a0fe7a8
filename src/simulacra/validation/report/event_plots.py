"""Single showers in space, full and fast next to each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.units import format_energy
from simulacra.validation.compared import Compared
from simulacra.validation.report.canvas import FAST, FULL, Plot, finish, new_figure
from simulacra.validation.report.pairing import pairs_of
from simulacra.validation.result import Validation
from simulacra.validation.sample import Sample

SHOWN = 3
"""Showers of each sample: low, middle and high energy."""
CONTAINED = 0.99
"""Part of the energy that the drawn cells hold, the hottest first."""
MOST_CELLS = 1500


def single_events(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield some single showers as points in space; no choice but the energy is made."""
    full, fast, detector = compared.full, compared.fast, compared.detector
    assert isinstance(detector, Calorimeter)
    pairs, matched = pairs_of(full, fast, SHOWN)
    figure = new_figure(9.0, 3.2 * len(pairs))
    places = np.concatenate([_centres(layer) for layer in detector.layers])
    for row, (i, j) in enumerate(pairs):
        showers = [_shower(full, i), _shower(fast, j)]
        energies = [format_energy(float(e)) for e in (full.energies[i], fast.energies[j])]
        top = max(1e-3, *(float(s.max()) for s in showers))
        for column, (shower, name) in enumerate(zip(showers, (FULL, FAST), strict=True)):
            axes: Any = figure.add_axes(
                (0.44 * column, 1 - (row + 0.94) / len(pairs), 0.44, 0.88 / len(pairs)),
                projection="3d",
            )
            image = _draw(axes, detector, places, shower, top)
            axes.set_title(f"{name}, {energies[column]}", fontsize=10, y=0.98)
        bar = figure.add_axes((0.92, 1 - (row + 0.8) / len(pairs), 0.015, 0.5 / len(pairs)))
        figure.colorbar(image, cax=bar).set_label("cell energy [MeV]")
    same = (
        "the same conditions in either sample"
        if matched
        else "the closest conditions that the other sample has"
    )
    yield Plot(
        "events",
        "Single showers",
        f"One shower per row, {same}. Points are cells, the larger the more energy; those that "
        f"hold {CONTAINED:.0%} of the energy are drawn. Single showers differ by nature: look at "
        "their kind, not for agreement.",
        finish(figure),
    )


def _shower(sample: Sample, place: int) -> FloatArray:
    """Return the cells of one event, MeV; what is broken counts as 0."""
    ((_, events),) = sample.take(np.array([place])).pieces()
    shower: FloatArray = events["showers"][0]
    return np.clip(np.nan_to_num(shower.astype(np.float64), posinf=0.0, neginf=0.0), 0.0, None)


def _centres(layer: Layer) -> FloatArray:
    """Return depth, x and y (cells, 3) in mm; rings that are not divided are drawn upwards."""
    x, y = layer.x, layer.y
    if isinstance(layer.segmentation, PolarSegmentation) and layer.shape[0] == 1:
        edges = np.asarray(layer.segmentation.r_edges)
        x, y = np.zeros(layer.shape[1]), (edges[1:] + edges[:-1]) / 2
    return np.stack([np.full(len(x), layer.depth), x, y], axis=1)


def _draw(
    axes: Any,  # noqa: ANN401 - matplotlib types its 3-D axes loosely
    detector: Calorimeter,
    places: FloatArray,
    shower: FloatArray,
    top: float,
) -> Any:  # noqa: ANN401
    hottest = np.argsort(shower)[::-1][:MOST_CELLS]
    held = np.cumsum(shower[hottest])
    count = int(np.searchsorted(held, CONTAINED * held[-1])) + 1 if held[-1] > 0 else 0
    chosen = hottest[:count]
    energy = shower[chosen]
    image = axes.scatter(
        *places[chosen].T,
        c=energy,
        s=4 + 60 * np.sqrt(energy / top),
        norm=LogNorm(1e-4 * top, top),
        cmap="viridis_r",
        alpha=0.8,
        linewidths=0,
        depthshade=False,
    )
    names = ("depth", *(_GREEK.get(name, name) for name in detector.axes))
    for axis, column, name in zip("xyz", range(3), names, strict=True):
        low, high = float(places[:, column].min()), float(places[:, column].max())
        margin = 0.05 * (high - low) + 1e-6
        getattr(axes, f"set_{axis}lim")(low - margin, high + margin)
        getattr(axes, f"set_{axis}label")(f"{name} [mm]", labelpad=-2)
        axes.locator_params(axis=axis, nbins=6 if axis == "x" else 4)
    axes.tick_params(labelsize=7, pad=-1)
    axes.set_box_aspect((1.6, 1, 1), zoom=1.2)
    axes.view_init(elev=18, azim=-62)
    return image


_GREEK = {"eta": r"$\eta$", "phi": r"$\phi$"}
