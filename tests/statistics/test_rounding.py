"""What single precision cannot tell apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.statistics.rounding import distinct_points, is_constant, without_rounding


@given(st.floats(1e-9, 1e30), st.integers(2, 50), st.integers(0, 100))
def test_a_constant_is_constant_in_either_precision(value, n, seed):
    rng = np.random.default_rng(seed)
    rounded = np.full(n, value) * (1 + rng.uniform(-1e-7, 1e-7, n))
    assert is_constant(rounded)
    assert is_constant(-rounded.astype(np.float32))
    assert not is_constant(rounded * (1 + 1e-3 * (np.arange(n) == 0)))


def test_columns_and_values_that_do_not_count():
    table = np.array([[1.0, 0.0, np.nan, 2.0, 5.0], [1.0, 1e-9, np.nan, np.nan, np.inf]])
    np.testing.assert_array_equal(is_constant(table), [True, False, True, True, False])
    assert is_constant(np.zeros(5))
    assert is_constant(np.array([2e-16, -5e-17]))  # sums of positions that cancel
    assert is_constant(np.empty(0))


@pytest.mark.slow
def test_points_differ_by_more_than_rounding():
    values = np.array([64.7, np.float32(64.7), 64.7 * (1 + 3e-7), 65.0, 1.0])
    assert len(distinct_points(values, 9)) == 3
    assert len(distinct_points(values, 2)) == 0
    # neighbours of a dense spectrum do not chain up to one point
    assert len(distinct_points(np.geomspace(1, 2, 10**7), 32)) == 0


def test_equal_values_become_equal_numbers():
    values = np.array([3.0, 1.0, 3.0 * (1 + 2e-7), -1.0, 0.0])
    found = without_rounding(values)
    assert found[0] == found[2]
    assert found == pytest.approx(values, rel=3e-7)
    assert len(np.unique(found)) == 4
