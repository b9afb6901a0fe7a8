"""Images of jets: centred on the hardest subjet, turned, and reflected.

References:
    De Oliveira, Paganini, Nachman: Learning particle physics by example, arXiv:1701.05927, and its
    code, which turns images on their grid by cubic interpolation. Splines through single bright
    pixels swing below zero; where that is cut off, the image has more momentum than the jet. Towers
    are therefore turned before they fill pixels, unless the detector's file asks for splines.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import affine_transform

from simulacra.arrays import FloatArray
from simulacra.detectors.jet_image import JetImage
from simulacra.fullsim.jets.clustering import Jet, pseudorapidity
from simulacra.fullsim.jets.towers import TowerHits
from simulacra.units import GEV

DOWN = -np.pi / 2
"""Where the second subjet ends up, seen from the first: an angle in the plane of eta and phi."""


def draw(jet: Jet, detector: JetImage) -> FloatArray:
    """Return a jet's image (pixels, pixels), GeV, the first axis eta and the second phi."""
    if detector.turning == "none":
        plain: FloatArray = detector.images_of(_relative(jet, jet.towers)[None])[0]
        return plain
    points, axis = _centred(jet)
    angle = DOWN - float(np.arctan2(axis[1], axis[0]))
    if detector.turning == "spline":
        image = turned(pixels_of(points, jet.towers.momentum, detector), angle)
    else:
        cosine, sine = np.cos(angle), np.sin(angle)
        points = points @ np.array([[cosine, sine], [-sine, cosine]])
        image = pixels_of(points, jet.towers.momentum, detector)
    image = reflected(np.maximum(image, 0.0))
    return np.where(image < detector.threshold / GEV, 0.0, image)


def constituents(jet: Jet, number: int) -> FloatArray:
    """Return the hardest towers (number, 4): eta and phi relative to the jet, pT in GeV, and 1.

    Rows of zeros fill the list.
    """
    hardest = np.argsort(-jet.towers.momentum, kind="stable")[:number]
    rows = np.zeros((number, 4))
    rows[: len(hardest)] = _relative(jet, jet.towers.take(hardest))
    return rows


def pixels_of(points: FloatArray, momentum: FloatArray, detector: JetImage) -> FloatArray:
    """Return the sum of momenta in each pixel; what lies beyond the image is lost.

    Args:
        points: eta and phi about the middle (n, 2).
        momentum: of each point (n,).
        detector: the size of the image.
    """
    event = np.zeros(len(points), np.int64)
    image: FloatArray = detector.filled(event, points, momentum, 1)[0]
    return image


def turned(image: FloatArray, angle: float) -> FloatArray:
    """Return an image turned by an angle (rad) from its first axis towards its second."""
    cosine, sine = np.cos(angle), np.sin(angle)
    back = np.array([[cosine, sine], [-sine, cosine]])  # where a pixel of the result comes from
    middle = np.full(2, (len(image) - 1) / 2)
    offset = middle - back @ middle
    result: FloatArray = affine_transform(image, back, offset, order=3, mode="grid-constant")
    return result


def reflected(image: FloatArray) -> FloatArray:
    """Return the image with the larger part of the momentum at positive eta."""
    half = len(image) // 2
    return image[::-1] if image[:half].sum() > image[-half:].sum() else image


def around(angle: FloatArray) -> FloatArray:
    """Return angles from -pi to pi."""
    return np.mod(angle + np.pi, 2 * np.pi) - np.pi


def _axis(vector: FloatArray) -> tuple[float, float]:
    return float(pseudorapidity(vector)), float(np.arctan2(vector[1], vector[0]))


def _relative(jet: Jet, towers: TowerHits) -> FloatArray:
    """Return towers (n, 4) as constituents: eta and phi relative to the jet, pT, and 1."""
    eta, phi = _axis(jet.vector)
    columns = towers.eta - eta, around(towers.phi - phi), towers.momentum
    return np.stack([*columns, np.ones(len(towers.eta))], axis=1)


def _centred(jet: Jet) -> tuple[FloatArray, FloatArray]:
    """Return the towers (n, 2) about the hardest subjet, and the direction (2,) to turn down.

    That is the direction of the second subjet. With one subjet it is the principal axis of the
    towers, towards the side of their mean.
    """
    eta, phi = _axis(jet.subjets[0])
    towers = jet.towers
    points = np.stack([towers.eta - eta, around(towers.phi - phi)], axis=1)
    if len(jet.subjets) > 1:
        other = _axis(jet.subjets[1])
        return points, np.array([other[0] - eta, around(np.array(other[1] - phi))])
    mean = np.average(points, axis=0, weights=towers.momentum)
    beside = points - mean
    _, axes = np.linalg.eigh(beside.T @ (beside * towers.momentum[:, None]))
    principal = axes[:, -1]
    return points, principal if principal @ mean >= 0 else -principal
