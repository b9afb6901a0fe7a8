"""Which symmetries a training sample bears out, beside detector, beam and conditions.

A description may be wrong, or the data be somebody else's: cells in another order, an impact that
counts from a corner. So each symmetry is held against the sample. Differences that should be zero
on average are compared with their own errors; one that is far from zero forbids the symmetry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.base import Frozen
from simulacra.events import Events
from simulacra.observables.calorimeter.energies import centre
from simulacra.observables.calorimeter.showers import Showers
from simulacra.transforms.calorimeter.symmetries import (
    TURNS,
    Flip,
    allowed_symmetries,
    flipped_by,
    mirror_of,
    symmetries_or_earlier,
)
from simulacra.transforms.calorimeter.turns import orders_of

LEAST_PROBABILITY = 1e-6
"""Of chance, over all differences of one symmetry together, below which the sample denies it."""
FEWEST = 20
"""Events that a difference needs to be judged; Student's distribution takes care of few."""
AT_ONCE = 2048
"""Events whose fractions are held in memory."""


@runtime_checkable
class Symmetric(Protocol):
    """Options of a model that uses symmetries."""

    @property
    def symmetries(self) -> tuple[str, ...] | None:
        """Which; None: to be decided."""


def decide(config: Frozen, detector: Calorimeter, events: Events) -> tuple[Frozen, tuple[str, ...]]:
    """Return a model's options with its symmetries decided, and notes on what was.

    Args:
        config: options of any model; those without symmetries stay as they are.
        detector: of the events.
        events: the training sample.

    Raises:
        CardError: the options name a symmetry that the detector does not have.
    """
    if not isinstance(config, Symmetric):
        return config, ()
    if config.symmetries is None:
        candidates = allowed_symmetries(detector)
    else:
        candidates = symmetries_or_earlier(detector, config.symmetries)
    kept, notes = [], []
    for name in candidates:
        denied = _denied(name, detector, events)
        if denied:
            notes.append(f"{name} is not used: {denied}")
        else:
            kept.append(name)
    notes.insert(0, f"symmetries used: {', '.join(kept) or 'none'}")
    return config.model_copy(update={"symmetries": tuple(kept)}), tuple(notes)


def _denied(name: str, detector: Calorimeter, events: Events) -> str:
    """Return why a sample denies a symmetry; nothing where it does not."""
    axis = None if name == TURNS else (mirror_of(detector, 1) == name) * 1
    if axis is not None and flipped_by(detector, axis):
        side = _side(detector, events.conditions, axis)
        if side.min() >= 0 or side.max() <= 0:
            return "all events of the sample are on one side"
        differences = _between_sides(events, axis, side)
    else:
        differences = _of_orders(detector, events, orders_of(detector, (name,))[1:])
    return _unlikely(list(differences))


def _unlikely(differences: list[tuple[str, FloatArray]]) -> str:
    """Return what is too far from zero to be chance, given the mean squares of all; or nothing.

    Args:
        differences: what they are, and a table of number, sum and sum of squares (3, k).
    """
    judged = [(what, *_probability(*sums)) for what, sums in differences]
    tests = sum(count for _, _, count in judged)
    for what, probability, count in judged:
        if count and probability * tests < LEAST_PROBABILITY:
            return f"in the sample {what} differ (chance {max(probability * tests, 1e-99):.0e})"
    return ""


def _probability(n: FloatArray, first: FloatArray, second: FloatArray) -> tuple[float, int]:
    """Return the least two-sided probability that a mean is zero, and of how many means."""
    from scipy.special import stdtr  # slow to import, and only training needs it

    enough = n >= FEWEST
    n, first, second = n[enough], first[enough], second[enough]
    variance = (second - first**2 / n) / (n - 1)
    spread = variance > 1e-24 * np.maximum(second, 1e-300)
    if not spread.any():
        return 1.0, 0
    score = first[spread] / np.sqrt(n[spread] * variance[spread])
    return float(np.min(2 * stdtr(n[spread] - 1, -np.abs(score)))), int(spread.sum())


# --- events that are as likely turned or mirrored ----------------------------------------------


def _of_orders(
    detector: Calorimeter, events: Events, orders: IntArray
) -> Iterator[tuple[str, FloatArray]]:
    """Yield by how much the cells of layers differ from those that they become."""
    for layer in detector.layers:
        if math.prod(layer.shape) == 1:
            continue
        cells = events["showers"][:, layer.cells].astype(np.float64)
        energy = cells.sum(axis=1)
        parts = cells[energy > 0] / energy[energy > 0, None]
        for order in orders[sorted({0, (len(orders) - 1) // 2})] if len(orders) else orders:
            moved = order[layer.cells] - layer.cells.start
            sums = np.zeros((3, cells.shape[1]))
            for start in range(0, len(parts), AT_ONCE):
                part = parts[start : start + AT_ONCE]
                off = part - part[:, moved]
                sums += [np.full(off.shape[1], len(off)), off.sum(axis=0), (off**2).sum(axis=0)]
            yield f"the sides of {layer.name}", sums


# --- events of one side and of the other -------------------------------------------------------


def _side(detector: Calorimeter, conditions: Conditions, axis: int) -> FloatArray:
    """Return what tells the sides of a mirror apart by its sign (n,)."""
    column, how = flipped_by(detector, axis)[0]
    values = conditions[list(detector.conditions)[column]].astype(np.float64)
    if how is Flip.OTHER_AZIMUTH:
        return np.cos(values)
    return np.sin(values) if how is Flip.OPPOSITE_AZIMUTH else values


def _between_sides(events: Events, axis: int, side: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    """Yield by how much layers of one side differ from those of the other, seen in the mirror.

    Events are compared in pairs that lie equally far from the mirror, so that the beam need not
    cover both sides evenly.
    """
    showers, (upper, lower) = Showers(events), _pairs(side)
    energy = events.conditions["energy"].astype(np.float64)
    for layer in showers.detector.layers:
        seen = showers[layer.name]
        outwards = np.sign(side) * centre(seen, showers, axis=axis)
        outwards = np.where(seen.energy > 0, outwards, np.nan)
        name = f"the centres along {showers.detector.axes[axis]} in {layer.name}"
        for what, values in ((name, outwards), (f"energies in {layer.name}", seen.energy / energy)):
            off = values[upper] - values[lower]
            off = off[np.isfinite(off)]
            yield what, np.array([[len(off)], [off.sum()], [(off**2).sum()]])


def _pairs(side: FloatArray) -> tuple[IntArray, IntArray]:
    """Return pairs (k,) of an event above zero and one below, about equally far from it."""
    order = np.argsort(np.abs(side), kind="stable")
    above = side[order] > 0
    upper, lower, last = [], [], -1
    for place in range(1, len(order)):
        if above[place] != above[place - 1] and last < place - 1:
            one, other = order[place - 1], order[place]
            upper.append(other if above[place] else one)
            lower.append(one if above[place] else other)
            last = place
    return np.array(upper, np.int64), np.array(lower, np.int64)
