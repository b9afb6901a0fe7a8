import numpy as np
import pytest

from simulacra.validation.figures import Pair, share_of
from simulacra.validation.metrics.moments import median_and_sigma_eff
from simulacra.validation.metrics.record import Estimate


def test_ratio_and_its_error():
    ratio = Pair(Estimate(2.0, 0.2), Estimate(3.0, 0.3)).ratio
    assert ratio.value == 1.5
    assert ratio.error == pytest.approx(1.5 * np.hypot(0.1, 0.1))
    assert np.isnan(Pair(Estimate(0.0), Estimate(1.0)).ratio.value)


def test_share_and_its_binomial_error():
    share = share_of(np.repeat([1.0, 0.0], [20, 80]))
    assert (share.value, share.error) == pytest.approx((0.2, 0.04))
    assert np.isnan(share_of(np.empty(0)).value)


def test_median_and_sigma_eff_of_a_gaussian_and_of_one_with_tails():
    rng = np.random.default_rng(0)
    values = rng.normal(5, 2, 20_000)
    median, spread = median_and_sigma_eff(values)
    assert median.value == pytest.approx(5, abs=5 * median.error)
    assert median.error == pytest.approx(np.sqrt(np.pi / 2) * 2 / np.sqrt(20_000), rel=0.15)
    assert spread.value == pytest.approx(2, abs=5 * spread.error)
    values[::100] *= 1000
    assert median_and_sigma_eff(values)[1].value == pytest.approx(2, rel=0.03)
