"""All metrics: a metric is a function in a file of this folder, and a row of one of two tables.

A metric of one observable (:data:`METRICS`) is a function of the reference values (n,) and the
generated values (m,), all finite. A metric of whole samples (:data:`SAMPLE_METRICS`) is a function
of the features (n, f) and (m, f) and a random generator, with an estimate for each of its names.
Functions return value and error. The baseline, where there is one, comes from full simulation
alone; with it and the numbers of events, every metric is one :class:`.record.Score`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.validation.classifiers.table import Table
from simulacra.validation.metrics.chi2 import chi2_per_ndf
from simulacra.validation.metrics.correlation import largest_correlation_difference
from simulacra.validation.metrics.fpd import fpd, fpd_caution
from simulacra.validation.metrics.kolmogorov_smirnov import ks_p_value, ks_statistic
from simulacra.validation.metrics.kpd import kpd, kpd_caution
from simulacra.validation.metrics.moments import Moments
from simulacra.validation.metrics.neighbours import neighbourhoods
from simulacra.validation.metrics.ratios import (
    difference_of,
    mean_difference,
    mean_ratio,
    median_ratio,
    ratio_of,
    sigma_eff_ratio,
    width_ratio,
)
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.separation import separation_power
from simulacra.validation.metrics.wasserstein import wasserstein, wasserstein_in_widths


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and how a table names it.

    Attributes:
        label: what a table calls it.
        function: of the reference's and the generated values.
        binned: whether it looks at histograms, so that it takes places on the observable's axis.
        summary: the same from what summarises both samples, where that is enough.
    """

    label: str
    function: Callable[[FloatArray, FloatArray], Estimate]
    binned: bool = False
    summary: Callable[[Moments, Moments], Estimate] | None = None


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "mean_difference": Metric("mean difference", mean_difference, summary=difference_of),
        "mean_ratio": Metric("mean ratio", mean_ratio, summary=partial(ratio_of, "mean")),
        "width_ratio": Metric("width ratio", width_ratio, summary=partial(ratio_of, "std")),
        "median_ratio": Metric("median ratio", median_ratio, summary=partial(ratio_of, "median")),
        "sigma_eff_ratio": Metric(
            "σ_eff ratio", sigma_eff_ratio, summary=partial(ratio_of, "sigma_eff")
        ),
        "separation": Metric("separation power", separation_power, binned=True),
        "wasserstein": Metric("W1", wasserstein),
        "wasserstein_in_widths": Metric("W1 / width", wasserstein_in_widths),
        "ks": Metric("KS", ks_statistic),
        "ks_p_value": Metric("KS p-value", ks_p_value),
        "chi2_per_ndf": Metric("χ² / ndf", chi2_per_ndf, binned=True),
    }
)


SampleFunction = Callable[[Table, Table, np.random.Generator], tuple[Estimate, ...]]


@dataclass(frozen=True, slots=True)
class SampleMetric:
    """A metric of samples and how a table names what it gives.

    Attributes:
        names: unique names of the estimates.
        labels: what a table calls them.
        features: the table of features it takes.
        function: see the module.
        replicas: pairs of samples drawn for the baseline: from the reference, or where conditions
            are shared, by events that change places; 0 for metrics that repeated events spoil,
            whose baseline is one half of the reference against the other.
        equal: whether values depend on the numbers of events so much that the score takes as many
            as the baseline, and equally many of either sample.
        caution: what to tell of results for n events (of the smaller sample), if anything.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    features: str
    function: SampleFunction
    replicas: int = 0
    equal: bool = False
    caution: Callable[[int], str | None] = lambda _: None


def _alone(function: Callable[[Table, Table, np.random.Generator], Estimate]) -> SampleFunction:
    """Return a metric of one number as one of several."""
    return lambda reference, generated, rng: (function(reference, generated, rng),)


_BALLS = ("precision", "recall", "density", "coverage")

SAMPLE_METRICS: tuple[SampleMetric, ...] = (
    SampleMetric(("fpd",), ("FPD",), "observables", _alone(fpd), replicas=10, caution=fpd_caution),
    SampleMetric(("kpd",), ("KPD",), "observables", _alone(kpd), replicas=5, caution=kpd_caution),
    SampleMetric(
        tuple(f"{name}_observables" for name in _BALLS),
        tuple(f"{name}, observables" for name in _BALLS),
        "standardised",
        neighbourhoods,
        equal=True,
    ),
    SampleMetric(
        tuple(f"{name}_cells" for name in _BALLS),
        tuple(f"{name}, cells" for name in _BALLS),
        "log cells",
        neighbourhoods,
        equal=True,
    ),
    SampleMetric(
        ("correlation_layers",),
        ("largest Δ correlation, layers",),
        "layers",
        largest_correlation_difference,
        replicas=20,
    ),
    SampleMetric(
        ("correlation_observables",),
        ("largest Δ correlation, observables",),
        "observables",
        largest_correlation_difference,
        replicas=20,
    ),
)
