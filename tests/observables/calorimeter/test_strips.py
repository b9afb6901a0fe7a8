"""ATLAS's shapes of the strips, on profiles whose values are known."""

import numpy as np
import pytest

from simulacra import load_sample
from simulacra.observables import observables_of
from tests.observables.calorimeter.test_energies import make

STRIPS = slice(21, 21 + 56 * 3)
"""Of the barrel, 56 along eta and three along phi."""


def observable(detector, name):
    return next(o for o in observables_of(detector) if o.name == name)


def strips(profiles):
    """Return events with these energies by strip, each shared by its three cells in phi."""
    showers = np.zeros((len(profiles), 266), np.float32)
    for shower, profile in zip(showers, profiles, strict=True):
        grid = np.zeros((56, 3), np.float32)
        for strip, energy in profile.items():
            grid[strip] = energy * np.array([0.25, 0.5, 0.25])
        shower[STRIPS] = grid.ravel()
    return make("atlas-barrel", showers)


def test_e_ratio_takes_the_second_local_maximum_and_not_the_neighbour():
    events = strips([{20: 60, 21: 40, 30: 20}, {20: 60, 21: 40}, {20: 60, 21: 50, 22: 55}])
    found = observable(events.detector, "e_ratio")(events)
    assert found == pytest.approx([(60 - 20) / 80, 1, (60 - 55) / 115])
    cells = observable(events.detector, "hottest_cells_ratio.strips")(events)
    # 30 MeV in the hottest cell; the next ones are its neighbours
    assert cells[0] == pytest.approx((30 - 20) / (30 + 20))


def test_delta_e_is_the_depth_of_the_valley():
    events = strips([{20: 60, 21: 10, 22: 30}, {20: 60, 21: 40}, {40: 8, 41: 3, 42: 4, 43: 60}])
    found = observable(events.detector, "delta_e")(events)
    assert found == pytest.approx([20, 0, 5])


def test_f_side_compares_seven_strips_with_three():
    events = strips(
        [{20: 50, 19: 5, 21: 5, 17: 1, 18: 2, 22: 4, 23: 8, 16: 100 / 3, 24: 40}, {0: 9}]
    )
    assert observable(events.detector, "f_side")(events) == pytest.approx([15 / 60, 0])


def test_at_the_edge_of_the_read_out_a_strip_is_a_maximum_too():
    events = strips([{0: 50, 55: 25}])
    assert observable(events.detector, "e_ratio")(events) == pytest.approx([1 / 3])


def test_photons_of_full_simulation_have_the_e_ratio_of_single_photons():
    test = load_sample("test")
    has = test["showers"][:, STRIPS].sum(axis=1) > 0
    found, energies = observable(test.detector, "e_ratio")(test)[has], test["energy"][has]
    means = [found[energies == e].mean() for e in np.unique(energies)]
    assert means == pytest.approx(
        [0.818, 0.905, 0.937, 0.957, 0.957, 0.966, 0.967, 0.961, 0.957, 0.953], abs=6e-4
    )
    cells = observable(test.detector, "hottest_cells_ratio.strips")(test)
    assert cells[test["energy"] == 16_000].mean() == pytest.approx(0.46, abs=0.01)


def test_the_position_in_the_cluster_is_the_centre_plus_the_impact():
    test = load_sample("test")[:50]
    for axis in ("eta", "phi"):
        for layer in ("presampler", "strips", "middle", "back"):
            centre = observable(test.detector, f"centre_{axis}.{layer}")(test)
            position = observable(test.detector, f"position_{axis}.{layer}")(test)
            empty = observable(test.detector, f"layer_energy.{layer}")(test) <= 0
            np.testing.assert_allclose(
                position[~empty], (centre + test[f"impact_{axis}"])[~empty], atol=1e-4
            )
            assert np.all(position[empty] == 0)
