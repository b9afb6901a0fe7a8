import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulacra.statistics.histograms import chi2_of_counts
from simulacra.validation.metrics.catalogue import METRICS
from simulacra.validation.metrics.chi2 import chi2_per_ndf
from simulacra.validation.metrics.kolmogorov_smirnov import ks_p_value, ks_statistic
from simulacra.validation.metrics.moments import moments, std_error
from simulacra.validation.metrics.ratios import (
    mean_difference,
    mean_ratio,
    median_ratio,
    sigma_eff_ratio,
    width_ratio,
)
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.separation import separation, separation_power
from simulacra.validation.metrics.wasserstein import wasserstein, wasserstein_in_widths

COUNTS = arrays(np.int64, 7, elements=st.integers(0, 1000)).filter(lambda c: c.sum() > 0)


@given(COUNTS, COUNTS)
def test_separation_is_symmetric_bounded_and_zero_for_equal_shapes(p, q):
    assert separation(p, q) == pytest.approx(separation(q, p))
    assert 0 <= separation(p, q) <= 1 + 1e-12
    assert separation(p, 3 * p) == pytest.approx(0, abs=1e-15)


def test_separation_of_disjoint_histograms_is_one():
    assert separation(np.array([1, 2, 0, 0]), np.array([0, 0, 5, 1])) == 1


def test_separation_of_two_bins_in_closed_form():
    p, q = np.array([0.75, 0.25]), np.array([0.25, 0.75])
    assert separation(p, q) == pytest.approx(0.5 * 2 * 0.5**2 / 1)


def test_separation_works_on_many_histograms_at_once():
    p = np.random.default_rng(0).integers(1, 9, (5, 4))
    q = np.arange(1, 5)
    assert separation(p, q) == pytest.approx([float(separation(row, q)) for row in p])


def test_escaping_tails_are_seen():
    reference = np.random.default_rng(0).normal(size=5000)
    generated = reference.copy()
    generated[:1000] = 1e6  # a fifth is far beyond the axis, the rest has the right shape
    score = separation_power(reference, generated).value
    p, q = np.array([1.0, 0.0]), np.array([0.8, 0.2])
    assert score == pytest.approx(float(separation(p, q)), abs=0.005)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, shape: rng.normal(3, 2, shape),
        lambda rng, shape: rng.exponential(1, shape),
        lambda rng, shape: rng.uniform(size=shape),
    ],
    ids=["Gaussian", "exponential", "uniform"],
)
def test_error_of_the_standard_deviation_by_simulation(draw):
    samples = draw(np.random.default_rng(0), (3000, 400))
    spread = samples.std(axis=1, ddof=1).std()
    errors = np.array([std_error(sample) for sample in samples[:500]])
    assert errors.mean() == pytest.approx(spread, rel=0.06)


def test_error_of_a_gaussian_deviation_in_closed_form():
    values = np.random.default_rng(0).normal(size=20_000)
    assert std_error(values) == pytest.approx(1 / np.sqrt(2 * 20_000), rel=0.05)


@pytest.mark.slow
def test_pulls_of_ratios_have_unit_width():
    rng = np.random.default_rng(0)
    pulls = []
    for _ in range(600):
        a, b = rng.gamma(4, 1, 200), rng.gamma(4, 1, 300)
        functions = (mean_ratio, width_ratio, mean_difference, median_ratio, sigma_eff_ratio)
        estimates, truth = [f(a, b) for f in functions], (1, 1, 0, 1, 1)
        pulls.append([(e.value - t) / e.error for e, t in zip(estimates, truth, strict=True)])
    assert np.std(pulls, axis=0) == pytest.approx([1] * 5, abs=0.12)


def test_ratios_and_differences_of_known_samples():
    a = np.array([1.0, 2.0, 3.0])
    assert mean_ratio(a, 2 * a).value == pytest.approx(2)
    assert width_ratio(a, 2 * a).value == pytest.approx(2)
    assert median_ratio(a, 2 * a).value == pytest.approx(2)
    assert sigma_eff_ratio(a, 2 * a).value == pytest.approx(2)
    assert mean_difference(a, a + 1).value == pytest.approx(1)


@pytest.mark.parametrize("n", [1, 2])
def test_tiny_and_constant_samples_are_undefined_not_wrong(n):
    constant = np.zeros(n)
    for metric in METRICS.values():
        metric.function(constant, constant)
    assert np.isnan(mean_ratio(constant, constant).value)
    assert moments(np.empty(0)).n == 0
    assert np.isnan(moments(np.ones(1)).std.value)


def test_estimates_as_text():
    assert str(Estimate(1.00347, 0.00212)) == "1.0035 ± 0.0021"
    assert str(Estimate(float("nan"))) == "–"
    assert str(Estimate(0.25)) == "0.25"


def test_a_shift_is_the_wasserstein_distance():
    a = np.random.default_rng(0).normal(5, 2, 400)
    assert wasserstein(a, a + 0.7).value == pytest.approx(0.7)
    assert wasserstein_in_widths(a, a + 0.7).value == pytest.approx(0.7 / a.std(ddof=1))
    assert np.isnan(wasserstein_in_widths(np.ones(5), np.zeros(5)).value)


def test_kolmogorov_smirnov_of_uniform_samples_in_closed_form():
    """Uniform on [0, 1] against [0.3, 1.3]: the distribution functions are 0.3 apart."""
    a = np.linspace(0, 1, 1001)
    assert ks_statistic(a, a + 0.3).value == pytest.approx(0.3, abs=2e-3)
    assert ks_p_value(a, a).value == 1
    p_values = np.array(
        [ks_p_value(*pair).value for pair in np.random.default_rng(0).random((300, 2, 200))]
    )
    assert np.mean(p_values < 0.1) == pytest.approx(0.1, abs=0.05)


def test_chi2_of_two_bins_in_closed_form():
    """(sqrt(M/N) p - sqrt(N/M) q)^2 / (p + q), summed: 10^2 / 110 for each of these bins."""
    chi2, ndf = chi2_of_counts(np.array([50, 60]), np.array([60, 50]))
    assert (chi2, ndf) == (pytest.approx(2 * 100 / 110), 1)


def test_chi2_of_equal_parents_is_one_per_degree_of_freedom():
    rng = np.random.default_rng(0)
    parent = np.exp(-np.arange(40) / 4)
    pairs = [
        chi2_of_counts(
            rng.multinomial(800, parent / parent.sum()), rng.multinomial(300, parent / parent.sum())
        )
        for _ in range(1500)
    ]
    chi2, ndf = np.array(pairs).T
    assert chi2.sum() / ndf.sum() == pytest.approx(1, abs=0.04)
    assert np.std((chi2 - ndf) / np.sqrt(2 * ndf)) == pytest.approx(1, abs=0.12)
    assert 3 < ndf.mean() < 30


def test_chi2_joins_bins_that_are_nearly_empty():
    assert chi2_of_counts(np.array([1, 2, 30, 1]), np.array([1, 30, 4, 0]))[1] == 1
    assert np.isnan(chi2_per_ndf(np.ones(3), np.ones(3)).value)
