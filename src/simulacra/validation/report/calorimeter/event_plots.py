"""Single showers in space, full and fast next to each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter
from simulacra.drawings.calorimeter.event import (
    CONTAINED,
    LEAST,
    draw_in_space,
    finite_energies,
)
from simulacra.units import format_energy
from simulacra.validation.compared import Compared
from simulacra.validation.report.canvas import FAST, FULL, Plot, finish, new_figure
from simulacra.validation.report.pairing import pairs_of
from simulacra.validation.result import Validation
from simulacra.validation.sample import Sample

SHOWN = 3
"""Showers of each sample: low, middle and high energy."""


def single_events(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield some single showers as points in space; no choice but the energy is made."""
    full, fast, detector = compared.full, compared.fast, compared.detector
    assert isinstance(detector, Calorimeter)
    pairs, matched = pairs_of(full, fast, SHOWN)
    figure = new_figure(9.0, 3.2 * len(pairs))
    for row, (i, j) in enumerate(pairs):
        showers = [_shower(full, i), _shower(fast, j)]
        energies = [format_energy(float(e)) for e in (full.energies[i], fast.energies[j])]
        top = max(LEAST, *(float(s.max()) for s in showers))
        for column, (shower, name) in enumerate(zip(showers, (FULL, FAST), strict=True)):
            axes: Any = figure.add_axes(
                (0.44 * column, 1 - (row + 0.94) / len(pairs), 0.44, 0.88 / len(pairs)),
                projection="3d",
            )
            image = draw_in_space(axes, detector, shower, top)
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
    return finite_energies(events["showers"][0])
