"""The floor: how far two samples of Geant4 of the same sizes are apart by chance alone.

A score means nothing without it: histograms of a few hundred showers never agree exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.histograms import binning_of
from simulacra.validation.metrics import separation

Verdict = Literal["agrees", "close", "differs"]

REPLICAS = 200
QUANTILE = 0.95
PSEUDO_COUNT = 0.5
"""Added to each bin of the parent (Jeffreys' prior): the bins were chosen by the reference, so that
its outer ones are emptier than those of an independent sample. With it, independent samples of 30
to 600 real showers exceed the 95 % quantile in 3 to 7 % of cases; without it, in 6 to 18 %."""
CLOSE_EXCESS = 0.01
"""Separation above the floor up to which samples are close: a Gaussian that is off by 0.28 standard
deviations, or by a fifth of its width, has this separation from the true one."""
CLOSE_FACTOR = 1.5
"""Multiple of the 95 % quantile up to which a score may be chance: a report makes hundreds of
comparisons, one in twenty is above the quantile itself and less than 1 % are above this."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The separation of Geant4 from Geant4.

    Attributes:
        kind: ``bootstrap`` (from the reference histogram) or ``sample`` (independent showers).
        mean: its expected value, or the score of the independent sample.
        quantile: the value that 95 % of such pairs stay below (by the bootstrap in either case,
            but never below the score of the independent sample).
        n: size of the sample that stands in for the generated one.
    """

    kind: Literal["bootstrap", "sample"]
    mean: float
    quantile: float
    n: int


def bootstrap_floor(
    counts: IntArray, n_reference: int, n_generated: int, rng: np.random.Generator
) -> Floor:
    """Return the floor from pairs of histograms drawn from one parent (parametric bootstrap).

    Both members of a pair are multinomial with the contents ``counts`` (bins,) plus
    ``PSEUDO_COUNT`` as probabilities, one of ``n_reference`` and one of ``n_generated`` entries.
    """
    parent = (counts + PSEUDO_COUNT) / (counts + PSEUDO_COUNT).sum()
    first = rng.multinomial(n_reference, parent, size=REPLICAS)
    second = rng.multinomial(n_generated, parent, size=REPLICAS)
    scores = separation(first, second)
    return Floor(
        "bootstrap", float(scores.mean()), float(np.quantile(scores, QUANTILE)), n_generated
    )


def floor_of(
    reference: FloatArray,
    n_generated: int,
    rng: np.random.Generator,
    independent: FloatArray | None = None,
) -> Floor:
    """Return the floor of an observable.

    Args:
        reference: finite values of the reference (n,).
        n_generated: size of the generated sample.
        rng: what the bootstrap draws from.
        independent: finite values of an independent Geant4 sample, if there is one.
    """
    binning = binning_of(reference)
    counts = binning.counts(reference)
    floor = bootstrap_floor(counts, len(reference), n_generated, rng)
    if independent is None or not len(independent):
        return floor
    score = float(separation(counts, binning.counts(independent)))
    return Floor("sample", score, max(score, floor.quantile), len(independent))


def verdict_of(score: float, floor: Floor) -> Verdict:
    """Return what a separation power means, given the floor.

    - ``agrees``: not above the 95 % quantile of the floor; no difference is resolved.
    - ``close``: above it by less than ``CLOSE_FACTOR`` (it may be chance), or the excess over the
      floor is at most ``CLOSE_EXCESS`` (it is small; unlike a multiple of the floor, the excess
      does not depend on how many events there are).
    - ``differs``: a difference that is both certain and large enough to see.
    """
    if score <= floor.quantile:
        return "agrees"
    chance = score <= CLOSE_FACTOR * floor.quantile
    small = score - floor.mean <= CLOSE_EXCESS
    return "close" if chance or small else "differs"
