"""The record that every metric gives: value, error, baseline and numbers of events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

UNDEFINED = math.nan
BaselineKind = Literal["bootstrap", "halves", "paired", "sample"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its statistical error (one standard deviation); nan where undefined."""

    value: float
    error: float = UNDEFINED

    def __str__(self) -> str:
        """Return value ± error to the second significant digit of the error; a dash for nan."""
        if not math.isfinite(self.value):
            return "–"
        if not math.isfinite(self.error) or self.error == 0:
            return f"{self.value:.4g}"
        exponent = math.floor(math.log10(self.error))
        if exponent > 4:
            return f"{self.value:.4g} ± {self.error:.2g}"
        decimals = max(0, 1 - exponent)
        return f"{self.value:.{decimals}f} ± {self.error:.{decimals}f}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The score of full simulation against itself.

    Attributes:
        kind: ``sample`` (the reference against independent events), ``halves`` (one random half of
            the reference against the other), ``bootstrap`` (pairs drawn from the reference with
            replacement; only where repeated events do no harm) or ``paired`` (where conditions are
            shared: both samples, in which events of equal conditions have changed places).
        estimate: the score; of several pairs the mean, and as its error their standard
            deviation.
        n: numbers of events, (reference, stand-in for the generated).
    """

    kind: BaselineKind
    estimate: Estimate
    n: tuple[int, int]

    @property
    def value(self) -> float:
        """The number itself."""
        return self.estimate.value

    @property
    def error(self) -> float:
        """Its statistical error; nan where there is none."""
        return self.estimate.error


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of two samples.

    Attributes:
        name: of the metric, ``fpd``.
        label: what a table calls it.
        features: the observable, or the table of features, that the metric is of.
        score: value and error of the generated events against the reference.
        baseline: the same number of full simulation against itself; None for a metric without one,
            or where the reference has too few events.
        n: numbers of events used, (reference, generated).
    """

    name: str
    label: str
    features: str
    score: Estimate
    baseline: Baseline | None
    n: tuple[int, int]

    @property
    def value(self) -> float:
        """The number itself."""
        return self.score.value

    @property
    def error(self) -> float:
        """Its statistical error; nan where there is none."""
        return self.score.error

    @property
    def excess(self) -> float:
        """By how many errors of the baseline the score lies above it; -inf where undefined."""
        baseline = None if self.baseline is None else self.baseline.estimate
        if baseline is None or not math.isfinite(self.value) or not baseline.error > 0:
            return -math.inf
        return (self.value - baseline.value) / baseline.error
