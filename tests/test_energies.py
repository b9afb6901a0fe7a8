import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulacra.detectors import load_detector
from simulacra.energies import energy_groups, mixes_points_with_a_spectrum, scale_of
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


@given(st.floats(0.1, 1e3), st.integers(0, 50))
def test_the_same_energy_in_either_precision_is_one_point(giga, seed):
    """Written in GeV, in single or double precision, and converted in either."""
    written = np.array([giga, 2 * giga])
    forms = [
        np.repeat(written * 1e3, 3),
        np.repeat(written.astype(np.float32) * np.float32(1e3), 3).astype(np.float64),
        np.repeat((written * 1e3).astype(np.float32), 3).astype(np.float64),
    ]
    first, second = (forms[i] for i in np.random.default_rng(seed).choice(3, 2))
    groups = energy_groups(first, second)
    assert len(groups) == 2
    for form in forms:
        assert [int(g.select(form).sum()) for g in groups] == [3, 3]


def test_points_at_the_edges_of_bins_stay_together():
    """More points than are groups of their own: each is in the same bin in either precision."""
    points = np.geomspace(1.0, 1e3, 37)  # every third is the edge of a bin
    double = np.repeat(points * 1e3, 4)
    single = (np.repeat(points, 4).astype(np.float32) * np.float32(1e3)).astype(np.float64)
    groups = energy_groups(double, single)
    assert len(groups) > 3
    for group in groups:
        np.testing.assert_array_equal(group.select(double), group.select(single))
    assert sum(int(g.select(single).sum()) for g in groups) == len(single)


def test_few_events_at_the_points_of_others_are_at_points():
    points = np.repeat([1e3, 4e3, 65e3], 9)
    assert len(energy_groups(points, np.array([1e3, 65e3]))) == 3
    assert not mixes_points_with_a_spectrum(points, np.array([1e3, 65e3]))
    assert mixes_points_with_a_spectrum(points, np.geomspace(1e3, 65e3, 40))
    assert not mixes_points_with_a_spectrum(np.geomspace(1e3, 9e3, 40), np.geomspace(1e3, 2e4, 40))
