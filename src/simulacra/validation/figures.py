"""Tables of figures: numbers of both samples side by side, group by group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from simulacra.arrays import FloatArray
from simulacra.validation.metrics.record import UNDEFINED, Estimate


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


def share_of(chosen: FloatArray) -> Estimate:
    """Return the share of ones among zeros and ones (n,) and its binomial error."""
    if not len(chosen):
        return Estimate(UNDEFINED)
    share = float(chosen.mean())
    return Estimate(share, math.sqrt(share * (1 - share) / len(chosen)))
