import numpy as np
import pytest

from simulacra.detectors.jet_image import JetDefinition, Trimming
from simulacra.fullsim.jets.clustering import cluster, mass_of, transverse, trimmed_jets
from simulacra.fullsim.jets.towers import TowerHits

pytestmark = pytest.mark.pythia
JETS = JetDefinition(algorithm="anti-kt", radius=1.0)
TRIMMING = Trimming(algorithm="kt", radius=0.3, fraction=0.05)


def towers(rows):
    collision, momentum, eta, phi = (np.array(column) for column in zip(*rows, strict=True))
    return TowerHits(collision.astype(int), *(c.astype(float) for c in (momentum, eta, phi)))


TWO_PRONGS = [(0, 200.0, 0.0, 0.0), (0, 80.0, 0.5, 0.0), (0, 5.0, 0.0, 0.6), (0, 50.0, 3.0, 1.0)]


def test_two_prongs_are_one_jet_without_what_is_soft():
    ((collision, jet),) = trimmed_jets(towers(TWO_PRONGS), JETS, TRIMMING, 100.0)
    assert collision == 0
    np.testing.assert_allclose(transverse(jet.subjets), [200.0, 80.0])
    # massless prongs: m^2 = 2 pT1 pT2 (cosh deta - cos dphi)
    assert mass_of(jet.vector) == pytest.approx(np.sqrt(2 * 200 * 80 * (np.cosh(0.5) - 1)))
    assert sorted(jet.towers.momentum) == [80.0, 200.0]


def test_collisions_do_not_mix_and_soft_ones_are_left_out():
    rows = [*TWO_PRONGS, (1, 20.0, 0.0, 0.0), *((3, *row[1:]) for row in TWO_PRONGS)]
    found = dict(trimmed_jets(towers(rows), JETS, TRIMMING, 100.0))
    assert list(found) == [0, 3]
    np.testing.assert_allclose(found[0].vector, found[3].vector)
    assert list(trimmed_jets(towers(rows[:0] or [(0, 1.0, 0.0, 0.0)]), JETS, TRIMMING, 100.0)) == []


def test_clusters_are_the_sums_of_their_towers():
    rng = np.random.default_rng(1)
    n = 400
    some = TowerHits(
        np.sort(rng.integers(0, 7, n)),
        rng.exponential(5, n),
        rng.uniform(-3, 3, n),
        rng.uniform(-np.pi, np.pi, n),
    )
    for algorithm in ("anti-kt", "kt", "cambridge-aachen"):
        found = cluster(some, JetDefinition(algorithm=algorithm, radius=0.4), 0.0)
        sums = np.zeros_like(found.vectors)
        np.add.at(sums, found.cluster, some.vectors[found.member])
        np.testing.assert_allclose(sums, found.vectors, atol=1e-9)
        np.testing.assert_array_equal(some.collision[found.member], found.collision[found.cluster])
        assert sorted(found.member) == list(range(n))
    found = cluster(some, JETS, 0.0)
    hard = cluster(some, JETS, 20.0)
    assert len(hard.collision) == np.count_nonzero(found.momentum >= 20.0)
    np.testing.assert_array_equal(some.collision[hard.member], hard.collision[hard.cluster])
