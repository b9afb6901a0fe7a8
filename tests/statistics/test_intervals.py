"""Half intervals are those of the tables of Student's t."""

import pytest

from simulacra.statistics.intervals import half_interval


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.706), (2, 4.303), (10, 2.228), (10**7, 1.960)])
def test_tabulated_values(freedom, t):
    assert half_interval(2.0, freedom) == pytest.approx(2 * t, rel=1e-3)
