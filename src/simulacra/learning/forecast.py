"""What more of something would bring: a power law through measured scores, with its uncertainty.

References:
    Hestness et al.: Deep learning scaling is predictable, empirically, arXiv:1712.00409.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from simulacra.statistics.intervals import half_interval

FEWEST = 4
"""Points from which on the scatter about the law is known."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """score = scale · amount^-exponent, by least squares of the logarithms.

    Attributes:
        exponent: positive where more is better.
        error: half its 95 % interval, by Student's t with the points less two degrees of freedom.
        largest: the largest amount that was measured.
        there: the law's score at that amount.
    """

    exponent: float
    error: float
    largest: float
    there: float

    @classmethod
    def fitted(cls, amounts: Sequence[float], scores: Sequence[float]) -> Self | None:
        """Return the law; None where the points are too few or all at one amount."""
        from scipy.stats import linregress

        if len(scores) < FEWEST or len(set(amounts)) < 2 or min(scores) <= 0:
            return None
        fit = linregress(np.log(amounts), np.log(scores))
        error = half_interval(float(fit.stderr), len(scores) - 2)
        largest = max(amounts)
        there = math.exp(float(fit.intercept) + float(fit.slope) * math.log(largest))
        return cls(-float(fit.slope), error, largest, there)

    @property
    def is_determined(self) -> bool:
        """Whether the 95 % interval of the exponent excludes that more brings nothing."""
        return self.exponent - self.error > 0

    def factor(self, more: float) -> tuple[float, float, float]:
        """Return the factor on the score of ``more`` times the amount, and its 95 % interval."""
        low, high = self.exponent + self.error, self.exponent - self.error
        return more**-self.exponent, more**-low, more**-high


def sentence(law: PowerLaw | None, what: str, floor: float, more: float = 2.0) -> str:
    """Return what more of something would bring, in words.

    Args:
        law: the fitted law.
        what: the something, ``showers``.
        floor: the score of full simulation, below which nothing can be told.
        more: how many times as much.
    """
    start = f"{more:g} times the {what}: "
    if law is None:
        return f"{start}undetermined, the trainings are too few"
    if not law.is_determined:
        return (
            f"{start}undetermined, the exponent of the power law is "
            f"{law.exponent:.2g} ± {law.error:.2g} (95 %)"
        )
    factor, low, high = law.factor(more)
    at_floor = "; that is at the score of full simulation" if law.there * factor < floor else ""
    return (
        f"{start}{factor:.2g} times the score ({low:.2g} to {high:.2g}, 95 %), as score ~ "
        f"{what}^-{law.exponent:.2g} ± {law.error:.2g} has it{at_floor}"
    )
