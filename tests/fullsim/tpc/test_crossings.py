"""Which of several crossings a row answers with."""

import numpy as np
import pytest

from simulacra.fullsim.tpc.crossings import find_crossings, pads_in_circle
from simulacra.fullsim.tpc.electrons import drift
from tests.fullsim.conftest import radial_steps, together


def crossings_of(detector, *parts):
    return find_crossings(drift(together(*parts), detector, np.random.default_rng(1)), detector)


def own_pads(crossings, detector):
    """Azimuth of the own electrons' mean pad in each row, rad."""
    number = len(crossings.row)
    counts = np.bincount(crossings.owner[crossings.own], minlength=number)
    mean = np.bincount(crossings.owner, crossings.pad * crossings.own, number) / counts
    turns = (crossings.origin + mean) / pads_in_circle(detector)[crossings.row]
    return np.angle(np.exp(2j * np.pi * turns))


def test_every_row_that_is_reached_has_one_crossing(quiet):
    some = radial_steps(quiet)
    crossings = crossings_of(quiet, some.take(np.arange(40, 80)))
    np.testing.assert_array_equal(crossings.row, np.arange(10, 20))
    assert np.all(crossings.own)


def test_the_first_crossing_in_time_is_kept(quiet):
    first, later = radial_steps(quiet, phi=0.3), radial_steps(quiet, phi=1.1)
    returning = radial_steps(quiet, phi=1.1, time=later.time + 5)
    for parts in ((first, returning), (returning, first)):
        crossings = crossings_of(quiet, *parts)
        np.testing.assert_allclose(own_pads(crossings, quiet), 0.3, atol=1e-3)


def test_the_particle_comes_before_its_descendants(quiet):
    particle = radial_steps(quiet, phi=0.3)
    photon = radial_steps(quiet, phi=1.1, time=particle.time - 2)
    descendant = type(photon)(
        photon.start, photon.stop, photon.energy, photon.time, np.full(len(photon), 7)
    )
    crossings = crossings_of(quiet, descendant, particle)
    np.testing.assert_allclose(own_pads(crossings, quiet), 0.3, atol=1e-3)
    alone = crossings_of(quiet, descendant)
    np.testing.assert_allclose(own_pads(alone, quiet), 1.1, atol=1e-3)


@pytest.mark.parametrize("phi", [np.pi, -np.pi, 0.0])
def test_the_circle_has_no_seam(tpc, phi):
    crossings = crossings_of(tpc, radial_steps(tpc, phi=phi))
    assert np.abs(crossings.pad).max() < 8


def test_the_other_side_of_the_central_electrode_is_read_out_elsewhere(quiet):
    here, there = radial_steps(quiet, z=5.0), radial_steps(quiet, z=-5.0)
    later = radial_steps(quiet, z=-5.0, time=there.time + 0.1)
    crossings = crossings_of(quiet, here, later)
    assert np.all(crossings.side == 1)
    assert len(crossings.owner) == len(crossings_of(quiet, here).owner)
