"""The baseline: how far two samples of Geant4 of the same sizes are apart by chance alone.

A score means nothing without it: histograms of a few hundred showers never agree exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.statistics.histograms import binning_of
from simulacra.validation.metrics.record import Baseline, BaselineKind, Estimate
from simulacra.validation.metrics.separation import separation

Verdict = Literal["agrees", "close", "slight", "differs"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""From the best to the worst."""

REPLICAS = 200
QUANTILE = 0.95
PSEUDO_COUNT = 0.5
"""Added to each bin of the parent (Jeffreys' prior): the bins were chosen by the reference, so that
its outer ones are emptier than those of an independent sample. With it, independent samples of 30
to 600 real showers exceed the 95 % quantile in 3 to 7 % of cases; without it, in 6 to 18 %."""
CLOSE_FACTOR = 1.5
"""Multiple of the 95 % quantile up to which a score may be chance: a report makes hundreds of
comparisons, one in twenty is above the quantile itself and less than 1 % are above this."""
SLIGHT_EXCESS = 0.01
"""Separation above the baseline up to which a certain difference is small.

A Gaussian has this separation from one that is shifted by 0.20 standard deviations, 15 % wider or
13 % narrower; so has a sample of which 2 % are in the wrong place (a lost tail, 3 % instead of 1 %
of empty events). For small shifts S is a quarter of the shift squared, for small changes of the
width half of the relative change squared."""
CERTAIN = 4.0
"""Standard errors from which on a shift is certain, among hundreds of comparisons."""


@dataclass(frozen=True, slots=True)
class DistanceBaseline:
    """The baseline of a distance: full simulation against itself at the sizes of the samples.

    Attributes:
        kind: how pairs of samples were drawn: ``bootstrap`` from the reference, for independent
            samples; ``paired`` where both have the same conditions, by events that change places;
            ``sample`` in results of schema 3, an independent sample.
        mean: the expected score.
        quantile: the score that 95 % of such pairs stay below.
        n: size of the generated sample.
        sample: the score of an independent sample of full simulation over the expected one of its
            size: about 1, however many events it has; None without such a sample.
    """

    kind: BaselineKind
    mean: float
    quantile: float
    n: int
    sample: float | None = None

    def record(self, n_reference: int) -> Baseline:
        """Return the part of it that every metric's baseline has."""
        return Baseline(self.kind, Estimate(self.mean), (n_reference, self.n))


def baseline_from(
    kind: Literal["bootstrap", "paired"], scores: FloatArray, n: int, sample: float | None = None
) -> DistanceBaseline:
    """Return the baseline of scores (pairs,)."""
    return DistanceBaseline(
        kind, float(scores.mean()), float(np.quantile(scores, QUANTILE)), n, sample
    )


def bootstrap_scores(
    counts: IntArray, n_reference: int, n_generated: int, rng: np.random.Generator
) -> FloatArray:
    """Return the separations of pairs of histograms drawn from one parent (parametric bootstrap).

    Both members of a pair are multinomial with the contents ``counts`` (bins,) plus
    ``PSEUDO_COUNT`` as probabilities, one of ``n_reference`` and one of ``n_generated`` entries.
    """
    parent = (counts + PSEUDO_COUNT) / (counts + PSEUDO_COUNT).sum()
    first = rng.multinomial(n_reference, parent, size=REPLICAS)
    second = rng.multinomial(n_generated, parent, size=REPLICAS)
    return separation(first, second)


def baseline_of(
    reference: FloatArray,
    n_generated: int,
    rng: np.random.Generator,
    independent: FloatArray | None = None,
) -> DistanceBaseline:
    """Return the baseline of an observable for samples with independent conditions.

    Args:
        reference: finite values of the reference (n,).
        n_generated: size of the generated sample.
        rng: what the bootstrap draws from.
        independent: finite values of an independent sample of full simulation, if there is one: a
            check of the bootstrap, of any size.
    """
    binning = binning_of(reference)
    counts = binning.counts(reference)
    scores = bootstrap_scores(counts, len(reference), n_generated, rng)
    check = None
    if independent is not None and len(independent):
        expected = bootstrap_scores(counts, len(reference), len(independent), rng).mean()
        score = float(separation(counts, binning.counts(independent)))
        check = score / float(expected) if expected > 0 else None
    return baseline_from("bootstrap", scores, n_generated, check)


def verdict_of(score: float, baseline: DistanceBaseline, shift: Estimate | None = None) -> Verdict:
    """Return what a separation power means, given the baseline.

    - ``agrees``: not above the 95 % quantile of the baseline; no difference is resolved.
    - ``close``: above it by less than ``CLOSE_FACTOR``: it may be chance.
    - ``slight``: certain, and small: the excess over the baseline is at most ``SLIGHT_EXCESS``.
      Unlike a multiple of the baseline, the excess does not depend on the number of events.
    - ``differs``: a difference that is both certain and large enough to see.

    Args:
        score: the separation power.
        baseline: its baseline.
        shift: the difference of means over the width at equal conditions, for samples that share
            them: a histogram over all energies hides a shift that is the same fault in each event.
            Where it is more than ``CERTAIN`` errors, its square over 4 is a separation power, too.
    """
    found = _verdict_of(score, baseline)
    if shift is None or not abs(shift.value) > CERTAIN * shift.error:
        return found
    own: Verdict = "slight" if shift.value**2 / 4 <= SLIGHT_EXCESS else "differs"
    return max(found, own, key=VERDICTS.index)


def _verdict_of(score: float, baseline: DistanceBaseline) -> Verdict:
    if score <= baseline.quantile:
        return "agrees"
    if score <= CLOSE_FACTOR * baseline.quantile:
        return "close"
    return "slight" if score - baseline.mean <= SLIGHT_EXCESS else "differs"
