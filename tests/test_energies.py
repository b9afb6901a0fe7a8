import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulacra.energies import energy_groups


def test_points_of_both_samples_are_groups():
    groups = energy_groups(np.repeat([1e3, 4e3], 3), np.repeat([1e3, 65e3], 2))
    assert [g.label for g in groups] == ["1 GeV", "4 GeV", "65 GeV"]
    assert [g.energy for g in groups] == [1e3, 4e3, 65e3]


@given(st.integers(2, 200), st.integers(0, 100))
def test_each_event_of_a_continuous_spectrum_is_in_exactly_one_bin(n, seed):
    energies = np.exp(np.random.default_rng(seed).uniform(np.log(1e3), np.log(1e5), n))
    groups = energy_groups(energies, energies[: n // 2 + 1])
    assert np.all(sum(g.select(energies).astype(int) for g in groups) == 1)
    assert len(groups) > 1 or n < 3


def test_one_sample_in_points_and_one_continuous_share_bins():
    groups = energy_groups(np.repeat([1e3, 1e5], 50), np.geomspace(1e3, 1e5, 100))
    assert len(groups) == 6
    assert groups[0].label == "1 GeV to 2.154 GeV"


def test_a_single_event():
    (group,) = energy_groups(np.array([5e3]), np.array([5e3]))
    assert group.label == "5 GeV"
    assert group.select(np.array([5e3])).all()
