"""Observables of a jet image: mass, momentum, n-subjettiness and shapes.

References:
    De Oliveira, Paganini, Nachman, arXiv:1701.05927 (mass, pT, tau_21 of images); Thaler, van
    Tilburg, arXiv:1011.2268 (n-subjettiness); Larkoski, Moult, Neill, arXiv:1409.6298 (D_2).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import JetImage
from simulacra.observables.axis import LINEAR, LOG, Axis
from simulacra.observables.jets.pixels import Pixels
from simulacra.observables.observable import Observable

RANKS = (1, 2, 5, 10, 20)
"""Pixels of which the momentum is an observable, from the hardest on."""


def mass(pixels: Pixels) -> FloatArray:
    """Return the mass of the image, GeV."""
    vectors = pixels.vectors
    square = vectors[:, 3] ** 2 - (vectors[:, :3] ** 2).sum(axis=1)
    size: FloatArray = np.sqrt(np.maximum(square, 0.0))
    return size


def momentum(pixels: Pixels) -> FloatArray:
    """Return the transverse momentum of the image, GeV."""
    return np.hypot(pixels.vectors[:, 0], pixels.vectors[:, 1])


def tau1(pixels: Pixels) -> FloatArray:
    """Return sum pT R / sum pT, where R is the distance to the hardest pixel."""
    first = np.zeros(len(pixels.pt), np.int64)
    return _over_total(pixels, pixels.distance_to(first))


def tau2(pixels: Pixels) -> FloatArray:
    """Return the same for the distance to the nearer of two axes."""
    first, second = (pixels.distance_to(pixels.axes[:, i]) for i in range(2))
    return _over_total(pixels, np.minimum(first, second))


def tau21(pixels: Pixels) -> FloatArray:
    """Return tau_2 / tau_1; nan where all momentum is in one pixel."""
    one = tau1(pixels)
    return np.where(one > 0, tau2(pixels) / np.where(one > 0, one, 1.0), np.nan)


def girth(pixels: Pixels) -> FloatArray:
    """Return sum pT R / sum pT, where R is the distance to the axis of the image."""
    vectors = pixels.vectors
    pt = np.hypot(vectors[:, 0], vectors[:, 1])
    eta = np.arcsinh(vectors[:, 2] / np.where(pt > 0, pt, 1.0))
    phi = np.arctan2(vectors[:, 1], vectors[:, 0])
    distance = np.hypot(pixels.eta - eta[:, None], pixels.phi - phi[:, None])
    return _over_total(pixels, distance)


def dispersion(pixels: Pixels) -> FloatArray:
    """Return p_T^D = sqrt(sum pT^2) / sum pT; nan for an empty image."""
    total = pixels.total
    root = np.sqrt((pixels.pt**2).sum(axis=1))
    return np.where(total > 0, root / np.where(total > 0, total, 1.0), np.nan)


def d2(pixels: Pixels) -> FloatArray:
    """Return D_2 = e_3 / e_2^3 with beta = 1; nan where all momentum is in one pixel."""
    e2, e3 = pixels.correlations
    return np.where(e2 > 0, e3 / np.where(e2 > 0, e2, 1.0) ** 3, np.nan)


def lit(pixels: Pixels) -> FloatArray:
    """Return the number of pixels with momentum."""
    return pixels.number.astype(np.float64)


def ranked(pixels: Pixels, rank: int) -> FloatArray:
    """Return the momentum of the pixel of a rank, GeV; nan where fewer have any."""
    if rank > pixels.pt.shape[1]:
        return np.full(len(pixels.pt), np.nan)
    value = pixels.pt[:, rank - 1]
    return np.where(value > 0, value, np.nan)


def _over_total(pixels: Pixels, distance: FloatArray) -> FloatArray:
    """Return the mean of distances (n, m) weighted by momentum; nan for an empty image."""
    total = pixels.total
    weighted = (pixels.pt * distance).sum(axis=1)
    return np.where(total > 0, weighted / np.where(total > 0, total, 1.0), np.nan)


def jet_observables(detector: JetImage) -> tuple[Observable, ...]:
    """Return the observables of a jet image, the primary one first."""
    largest = detector.pixels**2
    ranks = [rank for rank in RANKS if rank <= largest]
    return (
        _of("image_mass", "mass of the image", "GeV", mass, "mass"),
        _of("image_pt", r"$p_T$ of the image", "GeV", momentum, "momentum"),
        _of("tau21", r"$\tau_{21}$", "", tau21, "tau21", optional=True),
        _of("tau1", r"$\tau_1$", "", tau1, "tau1", optional=True),
        _of("tau2", r"$\tau_2$", "", tau2, "tau2", optional=True),
        _of("girth", "girth", "", girth, "girth", optional=True),
        _of("ptd", r"$p_T^D$", "", dispersion, "ptd", optional=True),
        _of("d2", r"$D_2$", "", d2, "d2", axis=LOG, optional=True),
        _of("lit_pixels", "pixels with momentum", "", lit, "lit_pixels"),
        *(
            _of(
                f"pixel.{rank}",
                f"momentum of pixel number {rank}",
                "GeV",
                partial(ranked, rank=rank),
                "pixel",
                axis=LOG,
                optional=True,
            )
            for rank in ranks
        ),
    )


def _of(
    name: str,
    label: str,
    unit: str,
    function: Callable[[Pixels], FloatArray],
    group: str,
    *,
    axis: Axis = LINEAR,
    optional: bool = False,
) -> Observable:
    return Observable(name, label, unit, function, group, Pixels, axis, optional)
