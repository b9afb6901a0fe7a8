import numpy as np
import pytest

from simulacra.detectors.jet_image import Towers
from simulacra.fullsim.jets.clustering import mass_of, pseudorapidity, transverse
from simulacra.fullsim.jets.pythia import Particles
from simulacra.fullsim.jets.towers import fill

TOWERS = Towers(size=0.1, reach=5.0)


def particles(rows):
    collision, energy, eta, phi = (np.array(column) for column in zip(*rows, strict=True))
    return Particles(collision.astype(int), energy, eta, phi, int(collision.max()) + 1)


def test_energy_is_kept_and_collisions_stay_apart():
    rng = np.random.default_rng(1)
    n = 1000
    some = Particles(
        np.sort(rng.integers(0, 5, n)),
        rng.exponential(1, n),
        rng.uniform(-4.9, 4.9, n),
        rng.uniform(-np.pi, np.pi, n),
        5,
    )
    hits = fill(some, TOWERS)
    for collision in range(5):
        before = some.energy[some.collision == collision].sum()
        vectors = hits.vectors[hits.collision == collision]
        assert vectors[:, 3].sum() == pytest.approx(before)
    assert np.all(np.diff(hits.collision) >= 0)


def test_towers_are_massless_and_where_the_particles_are():
    hits = fill(
        particles([(0, 5.0, 0.31, 3.14), (0, 2.0, 0.33, -3.14), (2, 1.0, -1.0, 0.0)]), TOWERS
    )
    np.testing.assert_allclose(mass_of(hits.vectors), 0, atol=1e-6)
    assert TOWERS.shape == (100, 63)
    np.testing.assert_allclose(pseudorapidity(hits.vectors), hits.eta)
    np.testing.assert_allclose(transverse(hits.vectors), hits.momentum)
    assert np.all(np.abs(hits.eta[-1] + 1.0) <= 0.05 + 1e-9)
    assert hits.collision.tolist() == [0, 0, 2]  # either side of phi = pi is another tower


def test_what_flies_beyond_the_reach_is_lost():
    assert len(fill(particles([(0, 5.0, 5.01, 0.0), (0, 5.0, np.inf, 0.0)]), TOWERS).eta) == 0
