"""The display of one jet image."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from simulacra.detectors import JetImage
from simulacra.drawings import canvas
from simulacra.events import Events

DECADES = 1e-4
"""The lowest momentum of the colours over the highest."""
LEAST = 1e-3
"""The highest momentum of the colours (GeV) in an empty image."""


def draw(events: Events) -> Figure:
    """Draw the pixels of an image; colours are transverse momenta in GeV."""
    detector = events.detector
    assert isinstance(detector, JetImage)
    image = events["images"][0].astype(np.float64)
    top = max(LEAST, float(np.nanmax(image)))
    figure, (axes,) = canvas.panels(1)
    edges = np.linspace(-detector.half_width, detector.half_width, detector.pixels + 1)
    seen = np.ma.masked_invalid(np.ma.masked_less_equal(image.T, 0.0))
    mesh = axes.pcolormesh(edges, edges, seen, norm=LogNorm(DECADES * top, top), cmap="viridis_r")
    figure.colorbar(mesh, ax=axes, label="transverse momentum [GeV]")
    canvas.frame(axes, detector.name, "pseudorapidity", "azimuth [rad]")
    axes.set_aspect("equal")
    return figure
