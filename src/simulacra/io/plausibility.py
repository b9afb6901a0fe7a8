"""Whether numbers of others mean what their format says: energies close, axes look like showers.

A file without units and axis names can be wrong by a factor 1000 or by a transposition and still
load. These checks are physics, not proof: they refuse what no shower looks like.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from simulacra.arrays import Array, FloatArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.segmentation import PolarSegmentation
from simulacra.errors import EventsError

RESPONSE = (4e-3, 4.0)
"""Mean of E_cells / E_incident from visible energy in thin silicon (0.02) to all of it (1); narrow
enough that no factor 1000 leads from one end of the sensible to the other."""

AXES = ("layer", "alpha", "r")
STRUCTURE = 0.3
"""A radial profile varies by more than this (standard deviation over mean); noise does not."""

Order = tuple[int, int, int]
STATED: Order = (0, 1, 2)
"""CaloChallenge's order and ours: layer after layer, in each sector after sector."""
PAR04: Order = (2, 1, 0)
"""How Par04 writes (layer, alpha, r): r slowest, then phi, then z."""


def require_closure(energy: Array, cells: Array, response: tuple[float, float] = RESPONSE) -> None:
    """Raise an :class:`EventsError` where cells do not sum to a sensible part of the energy.

    Args:
        energy: incident kinetic energies (n,), MeV.
        cells: energies of cells (n, ...), MeV.
        response: which mean of E_cells / E_incident is sensible.
    """
    total = cells.reshape(len(energy), -1).sum(axis=1, dtype=np.float64) if len(energy) else energy
    if not len(energy) or not np.all(np.isfinite(total)) or not np.all(energy > 0):
        return  # nothing to judge, or :meth:`Events.check` names what is wrong
    mean = float(np.mean(total / energy))
    low, high = response
    if low <= mean < high:
        return
    msg = (
        f"the cells sum to {mean:.3g} times the incident energy, not to {low:g} … {high:g}: "
        "units or axes are not those of the format"
    )
    factors = [f for f in (1e-3, 1e3, 1e-6, 1e6) if low <= mean * f < high]
    if factors:
        msg += f"; a factor {factors[0]:g} on the cells (or {1 / factors[0]:g} on energy) mends it"
    raise EventsError(msg)


def plausible_orders(mean_shower: Array, counts: tuple[int, int, int]) -> list[Order]:
    """Return the orders of (layer, alpha, r) in memory in which cells look like showers.

    In the mean over events a shower is round, so that the profile along alpha is flat, and narrow,
    so that the profile along r is not.

    Args:
        mean_shower: energy of each cell over all events, in the order in memory (cells,).
        counts: numbers of layers, sectors and rings.

    Returns:
        Orders as axes from the slowest to the fastest, the clearest first.
    """
    found: list[tuple[float, Order]] = []
    for order in permutations(range(3)):
        grid = mean_shower.reshape([counts[axis] for axis in order])
        grid = np.transpose(grid, np.argsort(order))
        along_alpha, along_r = _structure(grid.sum(axis=(0, 2))), _structure(grid.sum(axis=(0, 1)))
        if along_r > STRUCTURE and along_alpha < along_r / 2:
            found.append((along_alpha / along_r, (order[0], order[1], order[2])))
    return [order for _, order in sorted(found)]


def _structure(profile: FloatArray) -> float:
    mean = float(profile.mean())
    return float(profile.std()) / mean if mean > 0 else 0.0


def polar_counts(detector: Calorimeter) -> tuple[int, int, int] | None:
    """Return the numbers of layers, sectors and rings; None unless all layers are alike."""
    shapes = {layer.shape for layer in detector.layers}
    polar = all(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers)
    if not polar or len(shapes) != 1:
        return None
    return len(detector.layers), *next(iter(shapes))


def require_polar_order(cells: Array, detector: Calorimeter) -> None:
    """Raise an :class:`EventsError` where flat cells are clearly not in the order of voxels.

    Args:
        cells: energies (n, cells), of which r should run fastest and the layer slowest.
        detector: where layers differ from each other, any other order would be nonsense and there
            is nothing to compare with.
    """
    counts = polar_counts(detector)
    if counts is None or min(counts) < 2 or not len(cells):
        return
    orders = plausible_orders(cells.sum(axis=0, dtype=np.float64), counts)
    if orders and STATED not in orders:
        # other orders can look alike; Par04's is the one that is met
        seen = PAR04 if PAR04 in orders else orders[0]
        msg = (
            f"the cells look stored in the order {order_name(seen)}, slowest first; "
            f"{detector.name} needs {order_name(STATED)}"
        )
        raise EventsError(msg)


def order_name(order: Order) -> str:
    """Return an order of axes in words.

    Example:
        >>> order_name((2, 1, 0))
        '(r, alpha, layer)'
    """
    return f"({', '.join(AXES[axis] for axis in order)})"


def require_depth_last(images: Array) -> None:
    """Raise an :class:`EventsError` where another axis of a voxel image is clearly the depth.

    An electromagnetic shower is longer than wide: in (n, x, y, z) the mean energy-weighted
    standard deviation, in cells, is largest along z.
    """
    if not len(images):
        return
    widths = [_mean_width(images, axis) for axis in (1, 2, 3)]
    longest = int(np.argmax(widths))
    if longest != 2 and widths[longest] > 1.2 * widths[2]:
        msg = f"showers are longest along axis {longest + 1}, not along axis 3: (n, x, y, z) needed"
        raise EventsError(msg)


def _mean_width(images: Array, axis: int) -> float:
    others = tuple(other for other in (1, 2, 3) if other != axis)
    profile = images.sum(axis=others, dtype=np.float64)
    profile = profile[profile.sum(axis=1) > 0]
    if not len(profile):
        return 0.0
    weights = profile / profile.sum(axis=1, keepdims=True)
    index = np.arange(profile.shape[1])
    variance = weights @ index**2 - (weights @ index) ** 2
    return float(np.sqrt(np.clip(variance, 0, None)).mean())
