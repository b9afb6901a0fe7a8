"""Probabilities of deviations, counted in fault-free windows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import special

from simulacra.arrays import FloatArray
from simulacra.monitoring.deviations import Family

TAIL = 0.1
"""Share of the fault-free windows that make the tail."""
LEAST = 1e-300
"""Smallest probability."""


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The distribution of a computed probability in fault-free windows.

    Attributes:
        sizes: minus its logarithm in the windows (b,), ascending.
        edge: the size from which on the tail is extrapolated.
        slope: mean size beyond the edge, at least 1: the corrected probability never falls faster
            than the computed one.
        widen: whether corrected probabilities are never smaller than computed ones.

    References:
        B. M. Hill, Annals of Statistics 3 (1975) 1163: the tail of a power of the probability.
    """

    sizes: FloatArray
    edge: float
    slope: float
    widen: bool

    @classmethod
    def of(cls, probabilities: Sequence[float], widen: bool) -> Self:
        """Return the tail of probabilities that were computed for fault-free windows."""
        sizes = np.sort(-np.log(np.maximum(probabilities, LEAST)))
        edge = float(np.quantile(sizes, 1 - TAIL))
        beyond = sizes[sizes > edge] - edge
        slope = max(1.0, float(beyond.mean())) if len(beyond) else 1.0
        return cls(sizes, edge, slope, widen)

    def corrected(self, probability: float) -> float:
        """Return how often fault-free windows have so small a probability.

        Counted where at least a tenth of the windows are beyond it; extrapolated elsewhere.
        """
        size = -math.log(max(probability, LEAST))
        if size > self.edge:
            p = TAIL * math.exp(-(size - self.edge) / self.slope)
        else:
            below = int(np.searchsorted(self.sizes, size, side="left"))
            p = max(TAIL, (len(self.sizes) - below) / len(self.sizes))
        return max(p, probability) if self.widen else p


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Corrections from fault-free windows: of each family, then of the least of all families.

    A family is corrected by itself: its tests are correlated, and those of rarely hit cells hardly
    ever deviate.

    Attributes:
        stretch: errors of each family over the computed ones, at least 1.
        families: tail of the probability of each family's largest deviation.
        whole: tail of the least of these probabilities.
    """

    stretch: Mapping[str, float]
    families: Mapping[str, Tail]
    whole: Tail

    @classmethod
    def of(cls, windows: Sequence[Sequence[Family]], widen: bool) -> Self:
        """Calibrate with the deviations of fault-free windows.

        Args:
            windows: the families of each window.
            widen: whether corrections only ever raise a probability.
        """
        stretch, tails = {}, {}
        for number, family in enumerate(windows[0]):
            z = np.stack([w[number].deviations for w in windows])
            squares = np.square(z[np.isfinite(z)])
            own = max(1.0, math.sqrt(squares.mean())) if len(squares) else 1.0
            stretch[family.name] = own
            tails[family.name] = Tail.of([_any(row / own) for row in z], widen)
        least = [
            min(tails[f.name].corrected(_any(f.deviations / stretch[f.name])) for f in families)
            for families in windows
        ]
        whole = Tail.of([any_of(p, len(tails)) for p in least], widen)
        return cls(stretch, tails, whole)

    def stretched(self, families: Sequence[Family]) -> list[Family]:
        """Return deviations in corrected standard errors."""
        return [
            Family(f.quantity, f.statistic, f.grouping, f.deviations / self.stretch[f.name])
            for f in families
        ]

    def probability(self, stretched: Sequence[Family]) -> float:
        """Return how often a fault-free window deviates so much anywhere."""
        least = min(self.families[f.name].corrected(_any(f.deviations)) for f in stretched)
        return self.whole.corrected(any_of(least, len(stretched)))


def any_of(probability: float, tests: int) -> float:
    """Return the probability that one of some independent tests has so small a probability.

    References:
        Z. Šidák, J. Am. Stat. Assoc. 62 (1967) 626.
    """
    return -math.expm1(tests * math.log1p(-min(probability, 1 - 1e-12)))


def _any(deviations: FloatArray) -> float:
    """Return the probability of so large a deviation in one of these tests; 1 without tests."""
    finite = np.abs(deviations[np.isfinite(deviations)])
    if not len(finite):
        return 1.0
    return any_of(2 * float(special.ndtr(-finite.max())), len(finite))
