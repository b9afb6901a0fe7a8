"""One observable of two samples with the same conditions: baselines and errors of its metrics.

Samples whose events may change places (:mod:`.strata`) give the baselines of all
distances and the scatter of quantiles: sorted once, an observable's distribution functions are sums
over labels. Errors of means and widths come from what each event adds to them, within its stratum:
what the conditions do to both samples alike cancels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray, IntArray
from simulacra.observables import Axis
from simulacra.statistics.histograms import binning_of, chi2_of, joined_bins
from simulacra.validation.metrics.baseline import DistanceBaseline, baseline_from
from simulacra.validation.metrics.moments import CENTRAL, Moments
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.separation import separation
from simulacra.validation.metrics.strata import Relabelling

ENOUGH_FOR_ERRORS = 60
"""Pairs of samples from which the errors of quantiles are known within 10 %."""


@dataclass(frozen=True, slots=True)
class PairedScores:
    """What relabelled samples score, (pairs,) each, in the sizes of the whole samples.

    Attributes:
        separation, wasserstein, ks: the distances.
        chi2: chi2/ndf of the histograms, as for independent samples.
        errors: of the ratios of medians and of σ_eff, by name, over the ratio.
    """

    separation: FloatArray
    wasserstein: FloatArray
    ks: FloatArray
    chi2: FloatArray
    errors: Mapping[str, float]

    def baselines(
        self, n: int, width: float
    ) -> tuple[DistanceBaseline, dict[str, DistanceBaseline]]:
        """Return the baseline of the separation, and those of the other distances by name."""
        others = {"wasserstein": self.wasserstein, "ks": self.ks}
        if width > 0:
            others["wasserstein_in_widths"] = self.wasserstein / width
        return baseline_from("paired", self.separation, n), {
            name: baseline_from("paired", scores, n) for name, scores in others.items()
        }


def paired_scores(
    reference: FloatArray, generated: FloatArray, axis: Axis, drawn: Relabelling
) -> PairedScores:
    """Return the scores of relabelled samples.

    Args:
        reference: values (n,) of all events of the reference, nan where they do not count.
        generated: likewise (m,).
        axis: where the values lie in histograms, whose bins the reference chooses.
        drawn: which events change places.
    """
    values = drawn.joined(reference, generated)
    order = np.argsort(values)[: np.count_nonzero(np.isfinite(values))]  # nan is sorted last
    values = values[order]
    # pairs first: sums run along memory
    labels = np.ascontiguousarray(drawn.labels[order].T)
    first = np.cumsum(labels, axis=1, dtype=np.int32)
    n = np.maximum(first[:, -1:], 1).astype(np.float32)
    m = np.maximum(len(values) - first[:, -1:], 1).astype(np.float32)
    apart = first * (1 / n + 1 / m)
    apart -= np.arange(1, len(values) + 1, dtype=np.float32) / m
    np.abs(apart, out=apart)  # |F - G| just above each value
    steps = np.diff(values).astype(np.float32)
    # only above the last of equal values are both distribution functions complete
    complete = np.flatnonzero(steps > 0)
    counts = _counts(first, values, reference, axis)
    root = np.sqrt(drawn.part)
    return PairedScores(
        separation=drawn.part * separation(counts[0], counts[1]),
        wasserstein=root * (apart[:, :-1] @ steps).astype(np.float64),
        ks=root * apart[:, complete].max(axis=1, initial=0.0).astype(np.float64),
        chi2=_chi2_per_ndf(*counts),
        errors=_quantile_errors(first, values, float(root)),
    )


def _quantile_errors(first: NDArray[np.int32], values: FloatArray, root: float) -> dict[str, float]:
    """Return the relative errors of the ratios of quantiles of both samples of each pair.

    Few events change sides of a quantile where conditions rule: the distance of its neighbours is
    an error, too.
    """
    second = np.arange(1, len(values) + 1, dtype=np.int32) - first
    some = slice(0, ENOUGH_FOR_ERRORS)
    low, middle, high = (
        [values[_places_of(counts[some], part)] for counts in (first, second)] for part in _PARTS
    )
    at, last = np.array(_PARTS) * len(values), len(values) - 1
    ends = [np.clip(at + step, 0, last).astype(int) for step in (-2, 2)]
    gaps = (values[ends[1]] - values[ends[0]]) / 2
    sigma_eff = [above - below for below, above in zip(low, high, strict=True)]
    found = {
        "median_ratio": (middle, float(gaps[1])),
        "sigma_eff_ratio": (sigma_eff, math.hypot(gaps[0], gaps[2])),
    }
    errors = {}
    for name, ((a, b), gap) in found.items():
        size = abs(float(np.mean(a)))
        errors[name] = root * math.hypot(float((b - a).std()), gap) / size if size else math.nan
    return errors


def _places_of(counts: NDArray[np.int32], part: float) -> IntArray:
    """Return where running numbers of events (pairs, k) pass a part of their last, (pairs,)."""
    wanted = part * counts[:, -1:]
    below = np.count_nonzero(counts < wanted, axis=1)
    places: IntArray = np.minimum(below, counts.shape[1] - 1)
    return places


def _counts(
    first: NDArray[np.int32], values: FloatArray, reference: FloatArray, axis: Axis
) -> tuple[IntArray, IntArray]:
    """Return the histograms (pairs, bins) of both samples of each pair."""
    edges = binning_of(axis.places(reference)).edges
    below = np.searchsorted(axis.places(values), edges, side="left")
    ends = np.concatenate([[0], below, [len(values)]])
    sums = np.where(ends > 0, first[:, ends - 1], 0)
    counts = np.diff(sums, axis=1)
    return counts, np.diff(ends) - counts


def _chi2_per_ndf(p: IntArray, q: IntArray) -> FloatArray:
    """Return chi2/ndf of histograms (pairs, bins) whose sums are the same in all pairs."""
    first = joined_bins(p[0] + q[0])
    if len(first) < 2:
        return np.zeros(len(p))
    a, b = (np.add.reduceat(counts, first, axis=1) for counts in (p, q))
    return chi2_of(a, b) / (len(first) - 1)


def with_paired_errors(
    metrics: Mapping[str, Estimate],
    values: tuple[FloatArray, FloatArray],
    reference: Moments,
    scores: PairedScores,
    drawn: Relabelling,
) -> dict[str, Estimate]:
    """Return the metrics of an observable with the errors of samples that share conditions.

    A further one, :data:`SHIFT`, is the mean difference in units of the width that is left where
    the conditions are equal: an energy that is 2 % too high is 0.02 widths of a sample from 1 to
    262 GeV, and many widths of its response.

    chi2/ndf is given in units of its expectation, so that 1 is perfect here, too, and the p-value
    of the KS test is the part of relabelled samples that score as high.

    Args:
        metrics: of the table of metrics, for independent samples.
        values: of all events of the reference (n,) and of the generated sample (m,), nan where they
            do not count.
        reference: what summarises the reference.
        scores: of relabelled samples.
        drawn: which events change places.
    """
    first, second = values[0][drawn.reference], values[1][drawn.generated]
    added, result = (_added(first), _added(second)), dict(metrics)
    for name, error in scores.errors.items():
        found = metrics[name]
        if np.isfinite(found.error) and np.isfinite(error):
            result[name] = Estimate(found.value, abs(found.value) * error)
    for name, field in _RATIOS.items():
        found = metrics[name]
        if np.isfinite(found.error):
            both = np.concatenate([found.value * added[0][field], added[1][field]])
            unit: Estimate = getattr(reference, field)
            result[name] = Estimate(found.value, drawn.deviation(both) / abs(unit.value))
    difference = np.concatenate([a["mean"] for a in added])
    away, error = metrics["mean_difference"].value, drawn.deviation(difference)
    result["mean_difference"] = Estimate(away, error)
    if error > 0:
        # the error of a difference of means is the width times this
        unit_error = math.sqrt(sum(1 / np.count_nonzero(~np.isnan(v)) for v in values))
        result[SHIFT] = Estimate(away / error * unit_error, unit_error)
    expected = float(scores.chi2.mean())
    if expected > 0:
        result["chi2_per_ndf"] = Estimate(
            metrics["chi2_per_ndf"].value / expected, float(scores.chi2.std()) / expected
        )
    above = np.count_nonzero(scores.ks >= metrics["ks"].value * (1 - 1e-6))
    result["ks_p_value"] = Estimate((1 + above) / (1 + len(scores.ks)))
    return result


GIVEN_BY_PAIRS = ("ks_p_value",)
"""Metrics that relabelled samples give, whatever they are for independent ones."""
SHIFT = "shift_at_equal_conditions"
"""The mean difference over the width at equal conditions."""
_RATIOS = {"mean_ratio": "mean", "width_ratio": "std"}
"""The metrics that are ratios of moments, and of which."""
_PARTS = ((1 - CENTRAL) / 2, 0.5, (1 + CENTRAL) / 2)


def _added(values: FloatArray) -> dict[str, FloatArray]:
    """Return what each event (n,) adds to n times a number of the sample; nan stays nan.

    To first order a moment of the sample is the mean of what its events add: the influence
    function.
    """
    known = values[np.isfinite(values)]
    if len(known) < 2:
        nothing = np.full(len(values), np.nan)
        return dict.fromkeys(_RATIOS.values(), nothing)
    away = values - known.mean()
    std = float(known.std())
    return {
        "mean": away,
        "std": (away**2 - std**2) / (2 * std) if std > 0 else 0 * away,
    }
