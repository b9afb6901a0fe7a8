import numpy as np
import pytest
from scipy import stats

from simulacra.observables import observables_of
from simulacra.validation.metrics.baseline import (
    SLIGHT_EXCESS,
    DistanceBaseline,
    baseline_from,
    baseline_of,
    bootstrap_scores,
    verdict_of,
)
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.separation import separation, separation_power
from tests.validation.samples import halves


def test_the_floor_is_reproducible_and_falls_with_statistics():
    counts = np.array([0, 10, 40, 50, 20, 0])

    def baseline(n):
        return baseline_from(
            "bootstrap", bootstrap_scores(counts, n, n, np.random.default_rng(3)), n
        )

    baselines = [baseline(n) for n in (50, 500, 5000)]
    assert baselines[0] == baseline(50)
    assert baselines[0].mean > 5 * baselines[1].mean > 25 * baselines[2].mean > 0
    assert all(baseline.quantile > baseline.mean for baseline in baselines)


@pytest.mark.slow
def test_the_floor_is_that_of_two_real_halves_of_geant4():
    scores, baselines, above = [], [], 0
    rng = np.random.default_rng(0)
    for energy in (2000.0, 16000.0):
        for seed in range(4):
            first, second = halves(energy, seed)
            for observable in observables_of(first.detector):
                a, b = observable(first), observable(second)
                baseline = baseline_of(a, len(b), rng)
                score = separation_power(a, b).value
                scores.append(score)
                baselines.append(baseline.mean)
                above += score > baseline.quantile
    assert 0.85 < np.mean(scores) / np.mean(baselines) < 1.15
    assert above / len(scores) < 0.12


@pytest.mark.parametrize("n", [100, 300, 1000, 4000])
def test_an_independent_sample_checks_the_floor_and_never_moves_it(n):
    """A small sample of full simulation scatters more: that must not hide what is wrong."""
    reference, generated = np.random.default_rng(0).normal(size=(2, 1000))
    independent = np.random.default_rng(1).normal(size=n)
    alone, checked = (
        baseline_of(reference, len(generated), np.random.default_rng(2), sample)
        for sample in (None, independent)
    )
    assert (alone.mean, alone.quantile, alone.n) == (checked.mean, checked.quantile, checked.n)
    assert alone.sample is None
    assert 0.4 < checked.sample < 2
    assert baseline_of(reference, 300, np.random.default_rng(2), np.empty(0)).sample is None


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(0.0, "agrees"), (0.02, "agrees"), (0.029, "close"), (0.031, "differs"), (1.0, "differs")],
)
def test_verdicts(score, verdict):
    assert verdict_of(score, DistanceBaseline("bootstrap", 0.01, 0.02, 100)) == verdict


def test_a_certain_but_small_difference_has_a_word_of_its_own():
    many = DistanceBaseline("bootstrap", 0.0001, 0.0002, 10**6)
    assert [verdict_of(s, many) for s in (0.0002, 0.00025, 0.005, 0.011)] == [
        "agrees",
        "close",
        "slight",
        "differs",
    ]


def test_the_limit_of_slight_in_deviations_and_per_cent():
    """A shift of 0.20 deviations, a width 15 % larger or 13 % smaller, 2 % in the wrong place."""

    def score(cumulative):
        edges = np.linspace(-6, 6, 601)
        return float(separation(np.diff(stats.norm.cdf(edges)), np.diff(cumulative(edges))))

    for shift, width in ((0.20, 1.0), (0.0, 1.153), (0.0, 0.867)):
        found = score(lambda x, s=shift, w=width: stats.norm.cdf(x, s, w))
        assert found == pytest.approx(SLIGHT_EXCESS, rel=0.03)
    lost = stats.norm.ppf(0.02)
    found = score(lambda x: np.maximum(stats.norm.cdf(x) - 0.02, 0) / 0.98 * (x > lost))
    assert found == pytest.approx(SLIGHT_EXCESS, rel=0.05)


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [((0.1, 0.03), "agrees"), ((0.1, 0.02), "slight"), ((-0.3, 0.02), "differs")],
)
def test_a_shift_at_equal_conditions_counts_where_it_is_certain(shift, verdict):
    baseline = DistanceBaseline("paired", 0.01, 0.02, 100)
    assert verdict_of(0.01, baseline, Estimate(*shift)) == verdict
    assert verdict_of(1.0, baseline, Estimate(*shift)) == "differs"
