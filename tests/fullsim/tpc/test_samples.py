"""What the electronics make of electrons."""

import numpy as np
import pytest

from simulacra.fullsim.tpc.crossings import find_crossings
from simulacra.fullsim.tpc.electrons import drift
from simulacra.fullsim.tpc.samples import Response, sample
from tests.fullsim.conftest import changed, radial_steps


def crossings_of(detector, **options):
    electrons = drift(radial_steps(detector, **options), detector, np.random.default_rng(1))
    return find_crossings(electrons, detector)


def test_no_charge_is_lost(quiet):
    """An electron's pulse has the height 1, over all pads, and an area of sigma sqrt(2 pi)."""
    crossings = crossings_of(quiet)
    total = sample(crossings, quiet, np.random.default_rng(2)).values.sum()
    area = 190 / (2 * np.sqrt(2 * np.log(2))) / 100 * np.sqrt(2 * np.pi)
    expected = len(crossings.owner) * quiet.amplification.adc_per_electron * area
    assert total == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("position", [0.0, 0.3, 0.5, 0.99])
def test_pads_share_a_pulse(tpc, position):
    response = Response.of(tpc)
    rows = np.array([0, 100])
    parts = response.on_pads(np.full(2, position), rows)
    np.testing.assert_allclose(parts.sum(axis=1), 1, rtol=0.02)
    gravity = parts @ (response.pads + 0.5) / parts.sum(axis=1)
    np.testing.assert_allclose(gravity, position, atol=0.06)  # pads are as wide as two sigma
    pulse = response.in_time(np.array([position]))[0]
    assert pulse @ (response.times + 0.5) / pulse.sum() == pytest.approx(position, abs=0.01)


def test_one_electron_s_charge_is_exponential(tpc):
    detector = changed(tpc, electronics={"noise": 0.0, "threshold": 1e-9, "saturation": 1e9})
    crossings = crossings_of(detector, loss=2e-6)  # hardly one electron in a row
    samples = sample(crossings, detector, np.random.default_rng(2))
    charge = np.add.reduceat(samples.values, samples.matrices.place)
    single = charge[np.bincount(crossings.owner) == 1]
    assert len(single) > 20
    assert 0.5 < single.std() / single.mean() < 1.6
    assert single.mean() == pytest.approx(3.94 * 2.02, rel=0.5)


def test_samples_are_suppressed_or_above_the_threshold_and_cut_off(tpc):
    crossings = crossings_of(tpc, loss=0.05)
    values = sample(crossings, tpc, np.random.default_rng(2)).values
    electronics = tpc.electronics
    assert np.all((values == 0) | (values >= electronics.threshold))
    assert values.max() == electronics.saturation
    assert np.count_nonzero(values == 0) > 0
