"""The drawing of a jet image: its pixels in the order of the array."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simulacra.detectors import JetImage
from simulacra.drawings import canvas


def draw(detector: JetImage) -> Figure:
    """Draw the pixels around the axis of the jet."""
    figure, (axes,) = canvas.panels(1)
    centres = detector.pixel_centres
    size = 2 * detector.half_width / detector.pixels
    eta, phi = (v.ravel() for v in np.meshgrid(centres, centres, indexing="ij"))
    pixels = [
        Rectangle((x - size / 2, y - size / 2), size, size) for x, y in zip(eta, phi, strict=True)
    ]
    canvas.cells(axes, pixels, 0)
    chosen = canvas.corners((detector.pixels, detector.pixels))
    canvas.numbers(axes, ((eta[i], phi[i], i) for i in chosen))
    canvas.frame(axes, detector.name, "pseudorapidity", "azimuth [rad]")
    axes.set_aspect("equal", adjustable="datalim")
    return figure
