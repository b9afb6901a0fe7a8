"""Expectations under given conditions: like is compared with like.

Each quantity is regressed on the conditions of the reference. A window with other energies or
impacts than the reference has other expectations; it is no fault.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import special

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.energies import EnergyGroup, energy_groups, scale_of
from simulacra.events import Events

RIDGE = 1e-3
"""Events that pull the coefficients of standardised conditions to zero."""
FEWEST_IN_GROUP = 30
"""Values that an energy group needs to have a width of its own."""
PER_FEATURE = 10
"""Values per coefficient below which a channel's value is not tested."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """How conditions become the columns of a regression.

    Attributes:
        groups: the energies of the reference.
        linear: mean and width of each linear condition.
        log_scale: mean and width of the logarithm of the scale.
    """

    groups: tuple[EnergyGroup, ...]
    linear: dict[str, tuple[float, float]]
    log_scale: tuple[float, float]

    @classmethod
    def of(cls, reference: Events) -> Self:
        """Return the frame of a reference."""
        scale = scale_of(reference)
        linear = {}
        for name, spec in reference.detector.conditions.items():
            column = reference.conditions[name].astype(np.float64)
            if spec.role == "linear" and column.std() > 0:
                linear[name] = float(column.mean()), float(column.std())
        log = np.log(scale)
        groups = energy_groups(scale, scale=reference.detector.scale)
        return cls(groups, linear, (float(log.mean()), float(log.std()) or 1.0))

    def group_of(self, events: Events) -> IntArray:
        """Return the energy group (n,) of each event; -1 where the reference has none."""
        scale = scale_of(events)
        index = np.full(len(events), -1)
        for i, group in enumerate(self.groups):
            index[group.select(scale)] = i
        return index

    def columns(self, events: Events, group: IntArray) -> FloatArray:
        """Return the columns (n, f): energy groups, and polynomials of the other conditions.

        Second order in linear conditions; sine and cosine of cyclic ones; one column for each
        category but the first and its products with linear conditions. All but the groups appear a
        second time, multiplied by the logarithm of the energy.
        """
        conditions, specs = events.conditions, events.detector.conditions
        linear = [
            np.clip((conditions[name].astype(np.float64) - mean) / width, -5, 5)
            for name, (mean, width) in self.linear.items()
        ]
        cyclic = [
            f(conditions[name].astype(np.float64))
            for name, spec in specs.items()
            if spec.role == "cyclic"
            for f in (np.cos, np.sin)
        ]
        categories = [
            (conditions[name] == category).astype(np.float64)
            for name, spec in specs.items()
            if spec.role == "categorical"
            for category in (spec.categories or ())[1:]
        ]
        squares = [a * b for a, b in itertools.combinations_with_replacement(linear, 2)]
        mixed = [a * b for a in categories for b in linear] if len(categories) <= 6 else []
        varying = [*linear, *squares, *cyclic, *categories, *mixed]
        log = (np.log(scale_of(events)) - self.log_scale[0]) / self.log_scale[1]
        own = [(group == i).astype(np.float64) for i in range(len(self.groups))]
        inside = [log] if len(self.groups) and self.groups[0].low != self.groups[0].high else []
        return np.stack([*own, *inside, *varying, *(v * log for v in varying)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Normal scores of quantities (n, q) under the conditions of their events.

    A quantity of an event of the reference has a standard normal score.

    Attributes:
        coefficients: of the regression, (f, q).
        widths: of the residuals in each energy group, (groups, q).
        ordered: the standardised residuals of each quantity in the reference, ascending.
        tested: which quantities have enough values, (q,).
        centres, spreads: mean and width of the ranks' normal scores in each energy group,
            (groups, q): shapes differ with energy, and values may repeat.
    """

    coefficients: FloatArray
    widths: FloatArray
    ordered: tuple[FloatArray, ...]
    tested: BoolArray
    centres: FloatArray
    spreads: FloatArray

    @classmethod
    def fit(
        cls, columns: FloatArray, group: IntArray, values: FloatArray, present: BoolArray
    ) -> Self:
        """Fit the scores to a reference.

        Args:
            columns: of the conditions (n, f).
            group: energy groups (n,).
            values: of the quantities (n, q).
            present: which values count (n, q).
        """
        coefficients = _regressed(columns, values, present)
        residuals = values - columns @ coefficients
        free = present.sum(axis=0) / np.maximum(present.sum(axis=0) - columns.shape[1], 1)
        widths = _widths(residuals, present, group) * np.sqrt(np.minimum(free, 2.0))
        standard = residuals / widths[group]
        ordered = tuple(np.sort(standard[present[:, q], q]) for q in range(values.shape[1]))
        number = present.sum(axis=0)
        spread = np.array([len(o) > 1 and o[-1] > o[0] for o in ordered])
        tested = (number >= PER_FEATURE * columns.shape[1]) & spread
        flat = np.zeros_like(widths), np.ones_like(widths)
        raw = cls(coefficients, widths, ordered, tested, *flat)
        scores = np.nan_to_num(raw.of(columns, group, values, present))
        centres = means(scores, present, group)
        spreads = _widths(scores - centres[group], present, group)
        return cls(coefficients, widths, ordered, tested, centres, spreads)

    def of(
        self, columns: FloatArray, group: IntArray, values: FloatArray, present: BoolArray
    ) -> FloatArray:
        """Return the scores (n, q); nan where a value does not count or is not tested.

        Ranks among the reference's residuals; beyond them the score grows with the residual.
        """
        standard = (values - columns @ self.coefficients) / self.widths[group]
        scores = np.full(values.shape, np.nan)
        for q in np.flatnonzero(self.tested):
            rows = present[:, q]
            scores[rows, q] = _normal_score(standard[rows, q], self.ordered[q])
        scored: FloatArray = (scores - self.centres[group]) / self.spreads[group]
        return scored


def _regressed(columns: FloatArray, values: FloatArray, present: BoolArray) -> FloatArray:
    features = columns.shape[1]
    ridge = RIDGE * np.eye(features)
    if present.all():
        solved = np.linalg.solve(columns.T @ columns + ridge, columns.T @ values)
        return np.asarray(solved, np.float64)
    coefficients = np.zeros((features, values.shape[1]))
    for q in range(values.shape[1]):
        if (number := int(present[:, q].sum())) >= features:
            own = columns[present[:, q]]
            target = own.T @ values[present[:, q], q]
            coefficients[:, q] = np.linalg.solve(own.T @ own + ridge, target)
        elif number:  # too few for more than a mean, which is not tested
            coefficients[:, q] = 0.0
    return coefficients


def _widths(residuals: FloatArray, present: BoolArray, group: IntArray) -> FloatArray:
    """Return the root mean square (groups, q); that of all where a group has few values."""

    def rms(rows: BoolArray) -> tuple[FloatArray, IntArray]:
        number = present[rows].sum(axis=0)
        square = np.where(present[rows], residuals[rows] ** 2, 0.0).sum(axis=0)
        return np.sqrt(square / np.maximum(number, 1)), number

    whole = np.maximum(rms(np.ones(len(group), bool))[0], 1e-12)
    widths = []
    for i in range(int(group.max()) + 1):
        own, number = rms(group == i)
        widths.append(np.where((number >= FEWEST_IN_GROUP) & (own > 0), own, whole))
    return np.stack(widths)


def means(values: FloatArray, present: BoolArray, group: IntArray) -> FloatArray:
    """Return the mean (groups, q); that of all where a group has few values."""

    def mean(rows: BoolArray) -> tuple[FloatArray, IntArray]:
        number = present[rows].sum(axis=0)
        total = np.where(present[rows], values[rows], 0.0).sum(axis=0)
        return total / np.maximum(number, 1), number

    whole = mean(np.ones(len(group), bool))[0]
    own = [mean(group == i) for i in range(int(group.max()) + 1)]
    return np.stack([np.where(number >= FEWEST_IN_GROUP, m, whole) for m, number in own])


def _normal_score(values: FloatArray, ordered: FloatArray) -> FloatArray:
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right")
    n = len(ordered)
    score = special.ndtri(((low + high) / 2 + 0.5) / (n + 1))
    beyond = np.maximum(values - ordered[-1], 0.0) - np.maximum(ordered[0] - values, 0.0)
    total: FloatArray = score + beyond
    return total


def probabilities(columns: FloatArray, coefficients: FloatArray, events: int) -> FloatArray:
    """Return the probability of a signal (n, channels), at least half an event's of the reference.

    A linear model: the sum over a window is right even where single probabilities are rough.
    """
    least = 0.5 / max(events, 1)
    return np.clip(columns @ coefficients, least, 1 - least)
