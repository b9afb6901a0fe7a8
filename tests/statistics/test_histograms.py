import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.statistics.histograms import binning_of

FINITE = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(st.lists(FINITE, min_size=1, max_size=60), st.lists(FINITE | st.just(np.inf), max_size=30))
def test_every_finite_value_is_counted(reference, generated):
    binning = binning_of(np.array(reference))
    assert np.all(np.diff(binning.edges) > 0)
    assert binning.counts(np.array(reference)).sum() == len(reference)
    generated = np.array(generated, float)
    assert binning.counts(generated).sum() == np.isfinite(generated).sum()
    assert len(binning.counts(generated)) == len(binning.edges) + 1


def test_what_lies_outside_is_under_and_overflow():
    binning = binning_of(np.random.default_rng(0).normal(size=1000))
    counts = binning.counts(np.array([-100.0, 100.0, 100.0]))
    assert (counts[0], counts[-1]) == (1, 2)


@pytest.mark.parametrize("value", [0.0, 1.0, -3e5, 1e-9])
def test_a_constant_is_in_the_middle_of_its_bin(value):
    binning = binning_of(np.full(10, value))
    assert binning.counts(np.full(4, value)).tolist() == [0, 4, 0]


def test_frequent_zeros_have_a_bin_of_their_own():
    rng = np.random.default_rng(0)
    reference = np.where(rng.random(1000) < 0.2, 0.0, rng.uniform(0, 10, 1000))
    binning = binning_of(reference)
    zeros = np.count_nonzero(reference == 0)
    assert np.any(np.isclose(binning.counts(reference), zeros, atol=1))
    assert np.argmax(binning.counts(np.zeros(5))) != np.argmax(binning.counts(np.full(5, 0.1)))


def test_a_discrete_observable_has_a_bin_per_value():
    reference = np.repeat([0.0, 1.0, 5.0], 20)
    assert binning_of(reference).counts(reference).tolist() == [0, 20, 20, 20, 0]


def test_more_statistics_more_bins():
    rng = np.random.default_rng(0)
    sizes = [len(binning_of(rng.normal(size=n)).edges) for n in (2, 100, 10_000)]
    assert sizes == sorted(set(sizes))


def test_nothing_finite_is_an_error():
    with pytest.raises(ValueError, match="finite"):
        binning_of(np.array([np.nan]))


def test_a_constant_up_to_rounding_has_one_bin():
    values = np.where(np.arange(50) % 2, 1.0, np.nextafter(1.0, 2.0))
    binning = binning_of(values)
    assert np.all(np.diff(binning.edges) > 0)
    assert binning.counts(values).max() == 50
