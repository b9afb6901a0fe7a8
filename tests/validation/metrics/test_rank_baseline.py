import numpy as np
import pytest

from simulacra.observables import observables_of
from simulacra.validation.metrics.kolmogorov_smirnov import ks_statistic
from simulacra.validation.metrics.rank_baseline import NODES, rank_baselines, rank_replicas
from simulacra.validation.metrics.wasserstein import wasserstein
from tests.validation.samples import halves


def drawn(values, n, rng, pairs=200):
    """W1 and KS of pairs of samples with replacement: what the baseline must reproduce."""
    samples = [(rng.choice(values, len(values)), rng.choice(values, n)) for _ in range(pairs)]
    return np.array([[wasserstein(a, b).value, ks_statistic(a, b).value] for a, b in samples])


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.exponential(size=n) ** 2,
        lambda rng, n: rng.integers(0, 6, n).astype(float),
    ],
    ids=["Gaussian", "heavy tail", "discrete"],
)
@pytest.mark.parametrize("n", [60, NODES, 4000])
def test_the_floor_is_that_of_pairs_drawn_one_by_one(draw, n):
    rng = np.random.default_rng(1)
    values = draw(rng, n)
    baselines = rank_baselines(values, rank_replicas(n, n // 2, rng))
    expected = drawn(values, n // 2, rng, 100).mean(axis=0)
    assert baselines["wasserstein"].mean == pytest.approx(expected[0], rel=0.13)
    assert baselines["ks"].mean == pytest.approx(expected[1], rel=0.1)


def test_the_floor_of_a_large_sample_in_closed_form():
    """In units of sqrt(1/n + 1/m), KS is sqrt(pi/2) ln 2 and W1 sqrt(2/pi) ∫ sqrt(F(1 - F))."""
    n, m = 20_000, 10_000
    values = np.random.default_rng(0).uniform(size=n)
    baselines = rank_baselines(values, rank_replicas(n, m, np.random.default_rng(1)))
    scale = np.sqrt(n * m / (n + m))
    assert scale * baselines["ks"].mean == pytest.approx(np.sqrt(np.pi / 2) * np.log(2), rel=0.08)
    assert scale * baselines["wasserstein"].mean == pytest.approx(
        np.sqrt(2 / np.pi) * np.pi / 8, rel=0.12
    )
    assert baselines["wasserstein_in_widths"].mean == pytest.approx(
        baselines["wasserstein"].mean / values.std(ddof=1)
    )


@pytest.mark.slow
def test_the_floor_is_that_of_two_real_halves_of_geant4():
    rng = np.random.default_rng(0)
    ratios, above = [], []
    for seed in range(6):
        first, second = halves(4000.0, seed)
        replicas = rank_replicas(len(first), len(second), rng)
        for observable in observables_of(first.detector):
            a, b = observable(first), observable(second)
            baselines = rank_baselines(a, replicas)
            scores = {"wasserstein": wasserstein(a, b).value, "ks": ks_statistic(a, b).value}
            ratios.append([scores[k] / baselines[k].mean for k in scores])
            above.append([scores[k] > baselines[k].quantile for k in scores])
    assert np.mean(ratios, axis=0) == pytest.approx([1, 1], abs=0.15)
    assert np.all(np.mean(above, axis=0) < 0.12)


@pytest.mark.parametrize("n", [100, 1000])
def test_an_independent_sample_checks_the_floor_and_never_moves_it(n):
    rng = np.random.default_rng(0)
    reference, independent = rng.normal(size=500), rng.normal(size=n)
    replicas = rank_replicas(500, 500, rng)
    alone, checked = (rank_baselines(reference, replicas, x) for x in (None, independent))
    for name, baseline in alone.items():
        assert (baseline.mean, baseline.quantile) == (checked[name].mean, checked[name].quantile)
        assert 0.4 < checked[name].sample < 2.5


@pytest.mark.parametrize("n", [1, 2])
def test_tiny_and_constant_samples_have_a_baseline(n):
    baselines = rank_baselines(np.zeros(n), rank_replicas(n, 3, np.random.default_rng(0)))
    assert baselines["wasserstein"].mean == baselines["ks"].quantile == 0
    assert "wasserstein_in_widths" not in baselines
