"""The display of one track: its clusters across and along the beam, with the ideal helix."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from simulacra.arrays import FloatArray
from simulacra.detectors import TPC
from simulacra.drawings import canvas
from simulacra.events import Events
from simulacra.helix import Helix, crossings, helix_of
from simulacra.particles import names_of
from simulacra.units import format_energy

POINTS = 400
"""Points of the line of a helix."""


def draw(events: Events) -> Figure:
    """Draw a track from the end of the chamber and from the side; the line is the ideal helix."""
    detector = events.detector
    assert isinstance(detector, TPC)
    columns = {name: events[name].astype(np.float64) for name in detector.conditions}
    species = detector.conditions["pdg"].categories or ()
    helix = helix_of(columns, species, detector.magnetic_field)
    present = events["cluster_mask"][0] > 0
    points = events["clusters"][0, present, :3].astype(np.float64)
    figure, (end, side) = canvas.panels(2)
    _draw_chamber(end, side, detector)
    draw_track(end, side, helix, points, detector, canvas.BEAM, "clusters")
    momentum = format_energy(float(events[detector.scale][0]))
    who = names_of(events.particles)
    figure.suptitle(
        f"{who} of pT {momentum} in {detector.name}: {len(points)} clusters; line: ideal helix"
    )
    return figure


def draw_track(
    end: Axes, side: Axes, helix: Helix, points: FloatArray, detector: TPC, colour: str, name: str
) -> None:
    """Draw the clusters of a track as points, and its ideal helix as a line.

    Args:
        end: axes of x and y, mm.
        side: axes of z and the radius, mm.
        helix: the helix of that one track.
        points: positions of its clusters (k, 3), mm.
        detector: the chamber.
        colour: of both.
        name: of the points, for a legend.
    """
    radii = np.linspace(1.0, float(detector.row_radii[-1]), POINTS)
    ideal = crossings(helix, radii)
    on = ideal.reached[0]
    x, y, z = points.T
    line: dict[str, Any] = {"color": colour, "lw": 0.7, "alpha": 0.7}
    dots: dict[str, Any] = {"color": colour, "s": 3.0, "linewidths": 0.0}
    end.plot(ideal.x[0, on], ideal.y[0, on], **line)
    end.scatter(x, y, label=name, **dots)
    end.set_aspect("equal", adjustable="datalim")
    end.set(xlabel="x [mm]", ylabel="y [mm]")
    side.plot(ideal.z[0, on], radii[on], **line)
    side.scatter(z, np.hypot(x, y), **dots)
    side.set(xlabel="z [mm]", ylabel="r [mm]")


def _draw_chamber(end: Axes, side: Axes, detector: TPC) -> None:
    gas, length = detector.gas, detector.drift_length
    for radius in (gas.inner_radius, gas.outer_radius):
        end.add_patch(Circle((0, 0), radius, fill=False, ec="0.6", lw=0.6))
    height = gas.outer_radius - gas.inner_radius
    side.add_patch(
        Rectangle((-length, gas.inner_radius), 2 * length, height, fill=False, ec="0.6", lw=0.6)
    )
    side.axvline(0, color="0.6", lw=0.6, ls="--")
    end.autoscale_view()
    side.autoscale_view()
