import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from simulacra.validation.classifiers.auc import auc, calibrated, divergence, hanley_mcneil


def test_the_area_is_that_of_scikit_learn_ties_included():
    rng = np.random.default_rng(0)
    scores, generated = rng.integers(0, 20, 500).astype(float), rng.random(500) < 0.4
    assert auc(scores, generated).value == pytest.approx(roc_auc_score(generated, scores))


def test_two_exponentials_in_closed_form():
    """P(x > y) of exponentials with means a and b is a / (a + b)."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.exponential(1, 20_000), rng.exponential(3, 20_000)])
    result = auc(scores, np.arange(40_000) >= 20_000)
    assert abs(result.value - 0.75) < 4 * result.error
    # for exponentials, Hanley and McNeil's formula is exact
    assert result.error == pytest.approx(hanley_mcneil(0.75, 20_000, 20_000), rel=0.02)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_pulls_have_unit_width(shift):
    rng = np.random.default_rng(1)
    truth = 0.5 if shift == 0 else 0.7602499  # Phi(1 / sqrt(2))
    generated = np.arange(500) >= 300
    pulls = []
    for _ in range(400):
        result = auc(rng.normal(size=500) + shift * generated, generated)
        pulls.append((result.value - truth) / result.error)
    assert np.mean(pulls) == pytest.approx(0, abs=0.2)
    assert np.std(pulls) == pytest.approx(1, abs=0.1)


def test_complete_separation_has_an_error_and_tiny_samples_none():
    perfect = auc(np.arange(10.0), np.arange(10) >= 5)
    assert perfect.value == 1
    assert 0 < perfect.error < 0.3
    assert np.isnan(auc(np.arange(3.0), np.ones(3, bool)).value)
    assert np.isnan(auc(np.arange(2.0), np.array([True, False])).error)


def test_divergence_in_closed_form():
    generated = np.arange(1000) % 2 == 0
    nothing = divergence(np.full(1000, 0.5), generated)
    assert (nothing.value, nothing.error) == (0, 0)
    everything = divergence(generated.astype(float), generated)
    assert everything.value == pytest.approx(1, abs=1e-5)
    # three quarters of each sample on its own side: 1 - H(1/4)
    side = np.where(np.arange(1000) // 2 % 4 == 0, ~generated, generated)
    expected = 1 + 0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)
    assert divergence(np.where(side, 0.75, 0.25), generated).value == pytest.approx(expected)


def test_calibration_finds_the_probability_of_scores():
    rng = np.random.default_rng(0)
    p = rng.random(40_000)
    generated = rng.random(40_000) < p
    odds = np.log(p / (1 - p)) * 3 + 1  # any rising function of the probability
    found = calibrated(odds[20_000:], odds[:20_000], generated[:20_000])
    assert np.abs(found - p[20_000:]).mean() < 0.03
