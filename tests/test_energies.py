import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulacra.detectors import load_detector
from simulacra.energies import energy_groups, scale_of
from tests.conftest import random_events, random_tracks


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


def test_labels_say_what_is_grouped():
    momenta = np.geomspace(100.0, 1e4, 50)
    groups = energy_groups(momenta, scale="transverse_momentum")
    assert groups[0].label == "pT 100 MeV to 215.4 MeV"
    (point,) = energy_groups(np.full(9, 1e3), scale="transverse_momentum")
    assert point.label == "pT 1 GeV"


def test_the_scale_is_the_detectors(barrel):
    tracks = random_tracks(load_detector("alice-tpc"), 5)
    np.testing.assert_array_equal(scale_of(tracks), tracks.conditions["transverse_momentum"])
    showers = random_events(barrel, 5)
    np.testing.assert_array_equal(scale_of(showers), showers.conditions["energy"])
