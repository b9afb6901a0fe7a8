import numpy as np
import pytest
from scipy import optimize

from simulacra.validation.metrics.fpd import (
    FPD_BATCHES,
    FPD_SIZES,
    _distances_by_events,
    _distances_by_features,
    _held,
    _intercept,
    fpd,
    fpd_sizes,
    frechet_distance,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def constant(value, n=12_000):
    return np.full((n, 2), float(value))


def gaussian(rng, n, mean, covariance):
    return rng.multivariate_normal(mean, covariance, n)


def test_frechet_distance_of_commuting_gaussians_in_closed_form():
    """Along common axes: sum (mu - nu)^2 + (sigma - tau)^2, here turned by some angle."""
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    first, second = (turn @ np.diag(np.square(s)) @ turn.T for s in ([1.0, 3.0], [2.0, 0.5]))
    means = np.array([1.0, 2.0]), np.array([0.0, 4.0])
    distance = frechet_distance(means[0], first, means[1], second)
    assert distance == pytest.approx(1 + 4 + 1 + 2.5**2)


def test_frechet_distance_of_general_and_singular_covariances(rng):
    """Bures: for A and B = M A M with symmetric M > 0 the root of the product is A^1/2 M A^1/2."""
    a = np.diag([4.0, 1.0, 0.0])
    root = rng.normal(size=(3, 3))
    m = root @ root.T + np.eye(3)
    zero = np.zeros(3)
    expected = np.trace(a + m @ a @ m) - 2 * np.trace(np.sqrt(a) @ m @ np.sqrt(a))
    assert frechet_distance(zero, a, zero, m @ a @ m) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "features"), [(40, 60), (60, 20)])
def test_products_of_events_give_what_covariances_give(rng, n, features):
    mixing = rng.normal(size=(features, features))
    a, b = rng.normal(size=(n, features)) @ mixing, rng.normal(size=(n + 5, features))
    held = _held(len(a), 30, rng), _held(len(b), 30, rng)
    by_events = _distances_by_events(a, b, *held)
    np.testing.assert_allclose(by_events, _distances_by_features(a, b, *held), rtol=1e-6)
    assert by_events.shape == (FPD_BATCHES,)


def test_published_values_of_constants(rng):
    """JetNet's tests: 2^2 + 2^2 = 8, normalised 1 + 1.

    JetNet's fit gives the Fréchet distance to five digits, and no less than 3e-5.
    """
    assert fpd(constant(2), constant(0), rng, normalise=False).value == pytest.approx(8, rel=1e-4)
    assert fpd(constant(2), constant(0), rng).value == pytest.approx(2)
    assert fpd(constant(0), constant(0), rng).value == pytest.approx(0, abs=5e-5)


def test_fpd_of_gaussians_in_closed_form(rng):
    n = 20_000
    first = gaussian(rng, n, [0, 0], [[1, 0.5], [0.5, 1]])
    second = gaussian(rng, n, [0.5, 0], [[4, 2], [2, 4]])
    # the second covariance is four times the first: Tr(S + 4 S - 2 sqrt(4) S) = Tr S
    result = fpd(first, second, rng, normalise=False)
    assert result.value == pytest.approx(0.25 + 2, rel=0.03)
    assert 0 < result.error < 0.02
    same = fpd(first, gaussian(rng, n, [0, 0], [[1, 0.5], [0.5, 1]]), rng, normalise=False)
    assert same.value < 2e-3


def test_fpd_does_not_depend_on_units(rng):
    first, second = rng.normal(3, 1, (2, 3000, 3))
    scale = np.array([1e-3, 1.0, 1e6])
    a = fpd(first, second + 0.2, np.random.default_rng(1))
    b = fpd(first * scale, (second + 0.2) * scale, np.random.default_rng(1))
    assert a.value == pytest.approx(b.value, rel=1e-6)


def test_batches_shrink_with_small_samples_and_only_then():
    assert fpd_sizes(FPD_SIZES[0]) == FPD_SIZES
    assert fpd_sizes(1000) == (200, 1000)


def test_the_generator_decides(rng):
    first, second = rng.normal(size=(2, 500, 3))
    a, b, c = (fpd(first, second, np.random.default_rng(s)) for s in (1, 1, 2))
    assert a == b != c


def test_the_published_fit_near_its_baseline():
    """The intercept is that of JetNet's fit, whatever a better one would be."""
    x = 1 / np.geomspace(1e4, 5e4, 10)
    y = 4e-5 + 1.6 * x + 1e-6 * np.random.default_rng(0).normal(size=10)
    published, _ = optimize.curve_fit(
        lambda t, a, b: a + b * t, x, y, bounds=([0, 0], [np.inf, np.inf])
    )
    assert _intercept(x, y).value == pytest.approx(published[0], rel=1e-6)
    assert np.isnan(_intercept(x, np.full(10, np.nan)).value)
