"""The drawing of a time-projection chamber: half of it from the side, and its rows from the end."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from simulacra.detectors import TPC
from simulacra.drawings import canvas

MOST_ROWS = 60
"""Pad rows that are all drawn; of more, every second, third, … one is."""


def draw(detector: TPC) -> Figure:
    """Draw the drift volume with the range of tracks, and the pad rows with their numbers."""
    figure, (side, end) = canvas.panels(2)
    _side_view(side, detector)
    _end_view(end, detector)
    rows, field = len(detector.row_radii), detector.magnetic_field
    figure.suptitle(f"{detector.name}: {rows} pad rows, {field:g} T along z", fontsize=11)
    return figure


def _side_view(axes: Axes, detector: TPC) -> None:
    gas, length = detector.gas, detector.drift_length
    shades = canvas.colours(["gas", *(c.material for c in detector.cylinders)])
    height = gas.outer_radius - gas.inner_radius
    axes.add_patch(
        Rectangle((-length, gas.inner_radius), 2 * length, height, fc=shades["gas"], ec="0.4")
    )
    for cylinder in detector.cylinders:
        axes.add_patch(
            Rectangle(
                (-length, cylinder.radius),
                2 * length,
                cylinder.thickness,
                fc=shades[cylinder.material],
                ec="0.6",
                lw=0.3,
            )
        )
    for rows in detector.pad_rows:
        low, high = rows.inner_radius, rows.inner_radius + rows.rows * rows.pitch
        for z in (-length, length):
            axes.plot([z, z], [low, high], lw=3, color="0.2", solid_capstyle="butt")
        axes.text(length, (low + high) / 2, f" {rows.name}: {rows.rows} rows", fontsize=6)
    axes.axvline(0, color="0.4", lw=0.8, ls="--")
    for eta in detector.beam.pseudorapidity:
        radius = gas.outer_radius
        z = radius * math.sinh(eta)
        part = min(1.0, 1.2 * length / abs(z)) if z else 1.0
        axes.plot([0, z * part], [0, radius * part], color=canvas.BEAM, lw=1.0)
    canvas.frame(axes, "from the side: drift from the dashed electrode", "z [mm]", "radius [mm]")
    canvas.material_legend(axes, shades)


def _end_view(axes: Axes, detector: TPC) -> None:
    radii = detector.row_radii
    step = -(-len(radii) // MOST_ROWS)
    for number in range(0, len(radii), step):
        axes.add_patch(Circle((0, 0), radii[number], fill=False, ec="#3070b0", lw=0.4))
    for number in sorted({0, len(radii) // 2, len(radii) - 1}):
        axes.text(
            radii[number],
            0,
            f"{number}",
            fontsize=7,
            ha="center",
            va="center",
            bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"},
        )
    for radius in (detector.gas.inner_radius, detector.gas.outer_radius):
        axes.add_patch(Circle((0, 0), radius, fill=False, ec="0.2", lw=0.8))
    every = "" if step == 1 else f", every {step}."
    canvas.frame(axes, f"from the end: numbers of pad rows{every}", "x [mm]", "y [mm]")
    axes.set_aspect("equal", adjustable="datalim")
