"""Notes on samples: what a reader must know before the numbers are believed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from scipy import stats

from simulacra.arrays import FloatArray
from simulacra.datasets.shared_events import repeated, shared
from simulacra.energies import EnergyGroup, mixes_points_with_a_spectrum
from simulacra.validation.comparer import Samples
from simulacra.validation.kinds import Scale
from simulacra.validation.result import GroupResult
from simulacra.validation.sample import Sample

DIFFERENT_SHARE = 0.05
"""Difference of the shares of an energy from which on two mixtures are different."""
UNLIKELY = 1e-4
"""p-value of a Kolmogorov-Smirnov test below which the energies inside a bin are different."""
FEWEST_IN_BIN = 10
"""Events of either sample that show whether the energies inside a bin are different."""
FEW = 100
"""Events below which the error of a width is too small and its estimate low, in long tails most."""
TAIL_PART, FEWEST_IN_TAIL = 0.05, 10
"""Part of the events, and their least number, from which the tail of a distribution is judged."""
FINITE_VARIANCE = 2.0
"""Exponent of a power-law tail up to which the variance is infinite."""
MOST_NAMES = 5


def same_events(samples: Samples) -> Iterator[str]:
    """Yield a note for each two samples that have events in common, and for repeated events."""
    named = {
        "reference": samples.reference,
        "generated": samples.generated,
        "baseline": samples.baseline,
    }
    present = {name: s for name, s in named.items() if s is not None}
    for name, sample in present.items():
        if n := repeated(sample.digests):
            yield f"{name} sample: {n} of {len(sample)} events occur in it before"
    for a, b in (("generated", "reference"), ("baseline", "reference"), ("baseline", "generated")):
        if a in present and b in present:
            n = shared(present[a].digests, present[b].digests)
            if n:
                yield (
                    f"{n} of the {len(present[a])} events of the {a} sample are events of the {b} "
                    "sample: the samples are not independent"
                )


def different_spectrum(
    groups: tuple[EnergyGroup, ...], reference: Sample, other: Sample, scale: Scale
) -> str | None:
    """Return a note where more full simulation has other energies than the reference."""
    shares = mixtures(groups, reference.energies, other.energies)
    mixed = mixes_points_with_a_spectrum(reference.energies, other.energies)
    if not mixed and np.abs(shares[:, 0] - shares[:, 1]).max() <= DIFFERENT_SHARE:
        return None
    return (
        f"the baseline sample has other {scale.many} than the reference; it is left out, and "
        "baselines come from the reference alone"
    )


def mixtures(groups: tuple[EnergyGroup, ...], *energies: FloatArray) -> FloatArray:
    """Return which part of each sample's events is in each group, (groups, samples)."""
    rows = [[float(np.mean(group.select(e))) for e in energies] for group in groups]
    return np.array(rows)


def different_within_bins(
    groups: tuple[EnergyGroup, ...], reference: Sample, generated: Sample, scale: Scale
) -> Iterator[str]:
    """Yield a note where the samples have other energies inside a bin."""
    found = []
    for group in groups:
        if group.low == group.high:
            continue
        a, b = (s.energies[group.select(s.energies)] for s in (reference, generated))
        if min(len(a), len(b)) < FEWEST_IN_BIN:
            continue
        if stats.ks_2samp(a, b, method="asymp").pvalue < UNLIKELY:
            found.append((group.label, 100 * (float(b.mean() / a.mean()) - 1)))
    if found:
        label, percent = max(found, key=lambda f: abs(f[1]))
        yield (
            f"the {scale.many} inside {len(found)} of the bins are distributed differently (mean "
            f"{percent:+.1f} % in {label}): what grows with the {scale.one} differs by as much, "
            "and classifiers see it; generate with --like the reference"
        )


def few_events(groups: tuple[GroupResult, ...], scale: Scale) -> Iterator[str]:
    """Yield a note where widths have errors that hold for more events only."""
    few = [g.label for g in groups if min(g.n_reference, g.n_generated) < FEW]
    if few:
        what = scale.one if len(few) == 1 else scale.many
        yield (
            f"{_some(few)}: fewer than {FEW} events at {len(few)} {what}; errors of widths and "
            "medians are too small there, in long tails by up to a factor 2"
        )


def heavy_tails(values: Mapping[str, FloatArray]) -> Iterator[str]:
    """Yield a note on the observables whose W1 has no reliable baseline."""
    heavy = [name for name, v in values.items() if tail_exponent(v) < FINITE_VARIANCE]
    if heavy:
        yield (
            f"W1 of {_some(heavy)}: the tails are so long that equal samples exceed the 95 % "
            "quantile of its baseline in up to 40 % of cases; judge these by S and KS"
        )


def tail_exponent(values: FloatArray) -> float:
    """Return the exponent of the power law that the farthest values (n,) from the median follow.

    Infinite where there are too few of them, or few different ones.

    References:
        B. M. Hill, Annals of Statistics 3 (1975) 1163.
    """
    finite = values[np.isfinite(values)]
    k = max(int(TAIL_PART * len(finite)), FEWEST_IN_TAIL)
    if len(finite) < 3 * k:
        return math.inf
    far = np.sort(np.abs(finite - np.median(finite)))[-k - 1 :]
    if far[0] <= 0 or len(np.unique(far)) <= k // 2:  # few different values are no tail
        return math.inf
    mean = float(np.mean(np.log(far[1:] / far[0])))
    return 1 / mean if mean > 0 else math.inf


def failed_checks(groups: tuple[GroupResult, ...]) -> Iterator[str]:
    """Yield a note where the baseline sample itself is not like the reference."""
    checks = [
        c.baseline.sample * c.baseline.mean > 1.5 * c.baseline.quantile
        for group in groups
        for c in group.comparisons.values()
        if c.baseline.sample is not None
    ]
    if checks and np.mean(checks) > DIFFERENT_SHARE:
        yield (
            f"the baseline sample differs from the reference in {sum(checks)} of {len(checks)} "
            "comparisons: they are not full simulation of the same kind"
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} and {len(names) - MOST_NAMES} more"
