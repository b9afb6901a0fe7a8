"""Whether flat cells lie in the order of the read-out: only the showers themselves can tell.

Read in the right order, the mean shower is nearly a product of one profile along each axis, also
where it is lopsided, where layers differ or where the beam is off the axis; read in a wrong order,
it is not. Where both orders give a product, a round shower is flat along alpha and falls along r.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from simulacra.arrays import Array, FloatArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import EventsError

Order = tuple[int, int, int]
STATED: Order = (0, 1, 2)
"""CaloChallenge's order and ours: layer after layer, in each sector after sector."""
IN_LAYER: Order = (0, 2, 1)
"""Layer after layer, in each ring after ring."""
PAR04: Order = (2, 1, 0)
"""How Par04 writes (layer, alpha, r): r slowest, then phi, then z."""
ORDERS: tuple[Order, ...] = tuple((a, b, c) for a, b, c in permutations(range(3)))

GROUPS = 4
"""Groups of events that must all show the same order."""
FEW = {4: 0.1, 8: 0.05}
"""Below so many events, in two groups, how much more of the shower another order must explain."""
CLEARER = 0.005
"""The same from there on. With the noise of the grid (:func:`_noise`), right orders never reach
these numbers in simulated showers of 2 to 60 events, round, lopsided, sparse or off the axis."""
STRUCTURE = 0.3
"""A profile along r varies by more than this (standard deviation over mean); noise does not."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How a mean shower looks in one order.

    Attributes:
        rest: part of its squared norm that no product of profiles explains.
        alpha: standard deviation over mean of the profile along the second axis.
        r: the same along the third.
    """

    rest: float
    alpha: float
    r: float


def require_order(cells: Array, detector: Calorimeter) -> None:
    """Raise an :class:`EventsError` where flat cells are clearly not in the order of the read-out.

    Args:
        cells: energies (n, cells); the layer should run slowest, then alpha (or x), then r (or y).
        detector: whose cells. Of layers that differ, only the order within them is judged.

    Raises:
        EventsError: every group of events shows the same other order.

    Warns:
        UserWarning: another order of axes of equal length looks more like showers.
    """
    seen = clearer_orders(cells, detector)
    if not seen:
        return
    axes = axis_names(detector)
    shapes = {layer.shape for layer in detector.layers}
    counts = (len(detector.layers), *next(iter(shapes)))
    told = [o for o in seen if o == IN_LAYER or tuple(counts[axis] for axis in o) != counts]
    found = PAR04 if PAR04 in told else (told or seen)[0]
    msg = (
        f"the cells look stored in the order {order_name(found, axes)}, slowest first; "
        f"{detector.name} needs {order_name(STATED, axes)}"
    )
    if told:
        raise EventsError(msg)
    warnings.warn(f"{msg}: right only if the showers are off the axis", stacklevel=4)


def clearer_orders(cells: Array, detector: Calorimeter) -> list[Order]:
    """Return the orders in which cells look more like showers than in the stated one.

    Args:
        cells: energies (n, cells).
        detector: whose cells.

    Returns:
        Orders as axes from the slowest to the fastest, the clearest first; none for one event,
        or copies of one.
    """
    n = len(cells)
    if n < 2 or np.array_equal(cells[1:], cells[:-1]):  # copies of one event are one event
        return []
    few = n < max(FEW)
    least = next((part for events, part in FEW.items() if n < events), CLEARER)
    noise = _noise(detector) * (3 if few else 1)
    groups = 2 if few else GROUPS
    found: list[dict[Order, float]] = []
    for start in range(groups):
        mean = np.maximum(cells[start::groups].sum(axis=0, dtype=np.float64), 0)
        found.append(_clearer(mean, detector, least, noise))
    common = set.intersection(*(set(orders) for orders in found))
    return sorted(common, key=lambda order: -sum(orders[order] for orders in found))


def looks_round(cells: Array, detector: Calorimeter) -> bool:
    """Return whether cells (n, cells) show a shower that is flat along alpha and falls along r."""
    mean = np.maximum(cells.sum(axis=0, dtype=np.float64), 0)
    if not np.all(np.isfinite(mean)) or not mean.any():
        return False
    look = _look(_grids(mean, detector, STATED))
    return look.r > STRUCTURE and look.alpha < look.r / 3


def _noise(detector: Calorimeter) -> float:
    """Return the part of noise that a product of profiles explains: free numbers over cells."""
    shapes = {layer.shape for layer in detector.layers}
    layers = detector.layers[:1] if len(shapes) == 1 else detector.layers
    free = len(detector.layers) + sum(sum(layer.shape) for layer in layers)
    return free / detector.n_cells


def _clearer(
    mean: FloatArray, detector: Calorimeter, least: float, noise: float
) -> dict[Order, float]:
    """Return by how much each order is clearer than the stated one, where it is clearly so."""
    if not np.all(np.isfinite(mean)) or not mean.any():
        return {}
    regular = len({layer.shape for layer in detector.layers}) == 1
    stated = _look(_grids(mean, detector, STATED))
    polar = all(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers)
    found = {}
    for order in ORDERS if regular else (STATED, IN_LAYER):
        if order == STATED:
            continue
        look = _look(_grids(mean, detector, order))
        gain = stated.rest - look.rest
        if gain > least + noise * look.rest or (
            polar and gain > -CLEARER and _is_round(look, stated)
        ):
            found[order] = gain
    return found


def _is_round(look: _Look, stated: _Look) -> bool:
    """Return whether a shower is flat along alpha and falls along r, and the reverse as stated."""
    here = look.r > STRUCTURE and look.alpha < look.r / 3
    there = stated.alpha > max(2 * look.alpha, 2 * stated.r, STRUCTURE * 2 / 3)
    return here and there


def _grids(mean: FloatArray, detector: Calorimeter, order: Order) -> list[FloatArray]:
    """Return the cells as (layer, alpha, r), if they were stored in an order.

    One grid holds all layers where they are alike, else each layer has its own.
    """
    shapes = {layer.shape for layer in detector.layers}
    if len(shapes) == 1:
        parts = [(mean, (len(detector.layers), *next(iter(shapes))))]
    else:
        parts = [(mean[layer.cells], (1, *layer.shape)) for layer in detector.layers]
    back = np.argsort(order)
    return [
        part.reshape([counts[axis] for axis in order]).transpose(back) for part, counts in parts
    ]


def _look(grids: list[FloatArray]) -> _Look:
    total = sum(float(grid.sum()) for grid in grids)
    rest = sum(_rest(np.sqrt(grid)) for grid in grids)  # the squared norm is the energy
    alpha = sum(float(g.sum()) * _structure(g.sum(axis=(0, 2))) for g in grids if g.shape[1] > 1)
    r = sum(float(g.sum()) * _structure(g.sum(axis=(0, 1))) for g in grids if g.shape[1] > 1)
    return _Look(rest / total, alpha / total, r / total)


def _rest(grid: FloatArray, steps: int = 10) -> float:
    """Return the squared norm of a grid less that of the best product of three profiles."""
    norm = float((grid**2).sum())
    if not norm:
        return 0.0
    profiles = [_unit(np.sqrt((grid**2).sum(axis=axes))) for axes in ((1, 2), (0, 2), (0, 1))]
    length = 0.0
    for _ in range(steps):  # the higher-order power method
        a, b, c = profiles
        a = _unit(np.einsum("ijk,j,k->i", grid, b, c))
        b = _unit(np.einsum("ijk,i,k->j", grid, a, c))
        c = np.einsum("ijk,i,j->k", grid, a, b)
        length = float(np.linalg.norm(c))
        profiles = [a, b, _unit(c)]
    return max(norm - length**2, 0.0)


def _unit(vector: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


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


def axis_names(detector: Calorimeter) -> tuple[str, str, str]:
    """Return the names of the three axes of cells, in the stated order."""
    if any(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers):
        return "layer", "alpha", "r"
    return "layer", *detector.axes


def order_name(order: Order, axes: tuple[str, str, str] = ("layer", "alpha", "r")) -> str:
    """Return an order of axes in words.

    Example:
        >>> order_name((2, 1, 0))
        '(r, alpha, layer)'
    """
    return f"({', '.join(axes[axis] for axis in order)})"


def fitting_orders(shape: tuple[int, ...], counts: tuple[int, int, int]) -> list[Order]:
    """Return the orders in which axes of these lengths can be stored as ``shape``."""
    return [order for order in ORDERS if shape == tuple(counts[axis] for axis in order)]


def cells_of(grid: Array, order: Order) -> Array:
    """Return (n, three axes in this order) as flat cells in the stated order (n, cells)."""
    turned = np.transpose(grid, (0, *(1 + np.argsort(order))))
    return turned.reshape(len(grid), math.prod(grid.shape[1:]))
