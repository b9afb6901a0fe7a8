import numpy as np
import pytest

from simulacra.validation.metrics.kpd import KPD_SIZE, kpd, kpd_caution, kpd_size


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_published_values_of_constants(rng):
    """JetNet's tests: (4 + 1)^4 + 1 - 2 = 624, normalised 2^4 - 1."""
    two, zero = np.full((300, 2), 2.0), np.zeros((300, 2))
    assert kpd(two, zero, rng, normalise=False).value == pytest.approx(624)
    assert kpd(two, zero, rng).value == pytest.approx(15)
    assert kpd(zero, zero, rng).value == pytest.approx(0)


@pytest.mark.slow
def test_kpd_of_equal_parents_is_zero_within_its_scatter(rng):
    values = [kpd(*rng.normal(size=(2, 3000, 4)), rng).value for _ in range(4)]
    far = kpd(rng.normal(size=(3000, 4)), rng.normal(0.3, 1, (3000, 4)), rng)
    assert np.abs(values).max() < 0.2 * far.value


def test_batches_shrink_with_small_samples_and_only_then():
    assert (kpd_size(10**6), kpd_size(70)) == (KPD_SIZE, 70)
    assert kpd_caution(KPD_SIZE) is None
    assert "70" in str(kpd_caution(70))


def test_the_generator_decides(rng):
    first, second = rng.normal(size=(2, 500, 3))
    a, b, c = (kpd(first, second, np.random.default_rng(s)) for s in (1, 1, 2))
    assert a == b != c
