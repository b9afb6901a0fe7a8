"""Tables of figures: numbers of both samples side by side, group by group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.validation.metrics import UNDEFINED, Estimate, moments


@dataclass(frozen=True, slots=True)
class Pair:
    """One number of the reference and of the generated sample."""

    reference: Estimate
    generated: Estimate

    @property
    def ratio(self) -> Estimate:
        """Generated over reference; errors to first order."""
        a, b = self.reference, self.generated
        if not math.isfinite(a.value) or a.value == 0:
            return Estimate(UNDEFINED)
        ratio = b.value / a.value
        return Estimate(ratio, math.hypot(b.error, ratio * a.error) / abs(a.value))


@dataclass(frozen=True, slots=True)
class FigureTable:
    """A table of a report.

    Attributes:
        title: its heading.
        caption: what stands below it.
        columns: names of the numbers, with units.
        rows: the numbers of each group of events, by its label.
    """

    title: str
    caption: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Pair, ...]]


def mean_of(values: FloatArray) -> Estimate:
    """Return the mean of values (n,) and its error."""
    return moments(values).mean


def median_of(values: FloatArray) -> Estimate:
    """Return the median of values (n,) and its error.

    The error is half the distance of the quantiles that lie one standard deviation of a binomial
    count above and below, 1 / (2 sqrt(n)), so that it holds for any distribution.
    """
    if not len(values):
        return Estimate(UNDEFINED)
    step = min(0.5 / math.sqrt(len(values)), 0.5)
    low, middle, high = np.quantile(values, [0.5 - step, 0.5, 0.5 + step])
    return Estimate(float(middle), float(high - low) / 2 if len(values) > 1 else UNDEFINED)


def share_of(chosen: FloatArray) -> Estimate:
    """Return the share of ones among zeros and ones (n,) and its binomial error."""
    if not len(chosen):
        return Estimate(UNDEFINED)
    share = float(chosen.mean())
    return Estimate(share, math.sqrt(share * (1 - share) / len(chosen)))
