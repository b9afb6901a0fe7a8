"""Ionisation and drift: the laws that they are made to follow."""

import numpy as np
import pytest

from simulacra.fullsim.tpc.electrons import drift, ionise, place, rows_at
from tests.fullsim.conftest import changed, radial_steps


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.mark.parametrize("pairs", [0.3, 2.0, 100.0])
def test_the_number_of_electrons_has_the_right_mean_and_fluctuation(tpc, rng, pairs):
    found = ionise(np.full(50_000, pairs * tpc.gas.energy_per_electron), tpc, rng)
    assert found.min() >= 0
    assert found.mean() == pytest.approx(pairs, rel=0.02)
    # where pairs are few, their number being whole fluctuates, too
    assert tpc.gas.fano * 0.95 < found.var() / pairs < tpc.gas.fano * 1.05 + 0.3 / pairs


def test_electrons_start_on_their_step(tpc, rng):
    deposits = radial_steps(tpc, z=-300.0, tan_lambda=0.7)
    step, where = place(deposits, tpc, rng)
    start, stop = deposits.start[step], deposits.stop[step]
    along = ((where - start) / (stop - start))[:, [0, 2]]
    np.testing.assert_allclose(along[:, 0], along[:, 1], atol=1e-6)
    assert 0 <= along.min() < along.max() <= 1
    assert along.mean() == pytest.approx(0.5, abs=0.02)


def test_a_collision_leaves_several_electrons_in_one_place(tpc, rng):
    deposits = radial_steps(tpc, loss=0.01)
    _, where = place(deposits, tpc, rng)
    places = len(np.unique(where, axis=0))
    assert len(where) / places == pytest.approx(tpc.gas.electrons_per_cluster, rel=0.05)


@pytest.mark.parametrize("z", [-2400.0, -10.0, 10.0, 1300.0])
def test_electrons_drift_to_the_end_plate_of_their_side(tpc, quiet, rng, z):
    electrons = drift(radial_steps(tpc, phi=-2.0, z=z), quiet, rng)
    assert np.all(electrons.side == np.sign(z))
    np.testing.assert_allclose(electrons.drift_time, (2500 - abs(z)) / 0.0265)
    np.testing.assert_allclose(electrons.phi, -2.0)
    assert np.array_equal(np.unique(electrons.row), np.arange(159))


@pytest.mark.parametrize("length", [100.0, 2000.0])
def test_diffusion_grows_with_the_root_of_the_drift_length(tpc, rng, length):
    electrons = drift(radial_steps(tpc, phi=0.0, z=2500 - length, loss=1e-3), tpc, rng)
    across = electrons.phi * tpc.row_radii[electrons.row]
    along = electrons.drift_time * tpc.drift.velocity
    root = np.sqrt(length / 10)  # of centimetres
    assert across.std() == pytest.approx(0.209 * root, rel=0.02)
    assert along.std() == pytest.approx(0.221 * root, rel=0.02)
    assert along.mean() == pytest.approx(length, rel=1e-2)


def test_attachment_loses_electrons_along_the_drift(tpc, rng):
    lossy = changed(tpc, drift={"attachment": 5e-4})
    deposits = radial_steps(tpc, z=500.0, loss=1e-3)
    kept = len(drift(deposits, lossy, rng)) / len(drift(deposits, tpc, rng))
    assert kept == pytest.approx(np.exp(-5e-4 * 2000), rel=0.02)


def test_rows_lie_where_their_radii_say(tpc):
    np.testing.assert_array_equal(rows_at(tpc, tpc.row_radii), np.arange(159))
    np.testing.assert_array_equal(rows_at(tpc, np.array([800.0, 1330.0, 2470.0])), -1)
    edges = [848.0, 1320.5 - 1e-9, 1346.0, 1986.0 - 1e-9, 1986.0]
    np.testing.assert_array_equal(rows_at(tpc, np.array(edges)), [0, 62, 63, 126, 127])
