"""Transport through layers: helices, Highland's width, energy loss, conversions."""

import numpy as np
import pytest

from simulacra.errors import CardError
from simulacra.smearing.effects import (
    ELECTRON,
    converts,
    highland_angle,
    ionisation_loss,
    radiated,
)
from simulacra.smearing.particles import Particles
from simulacra.smearing.tracker import Tracker, load_tracker
from simulacra.smearing.transport import transport

PION, MUON = 139.57039, 105.658376
FIELD = 2.0


def tracker(*layers, field=FIELD):
    """Layers of (radius mm, thickness mm, resolution)."""
    rows = [
        {
            "name": f"layer {i}",
            "radius": radius,
            "half_length": 1e4,
            "material": "G4_Si",
            "thickness": thickness,
            "resolution": resolution,
        }
        for i, (radius, thickness, resolution) in enumerate(layers)
    ]
    return Tracker.model_validate({"name": "own", "field": field, "layers": rows})


def particles(n, pdg, pt, eta=0.0, phi=0.0, mass=PION):
    columns = (np.broadcast_to(value, n) for value in (pdg, pt, eta, phi, mass))
    return Particles.of(np.arange(n), *columns)


@pytest.mark.parametrize("charge", [-1, 1])
def test_without_matter_hits_lie_on_the_helix(charge):
    """A positive particle turns clockwise by asin(r / 2R); z grows with the arc."""
    radii = (30.0, 200.0, 900.0)
    own = tracker(*((r, 0.0, (0.0, 0.0)) for r in radii))
    pt, eta, phi = 800.0, 0.7, 1.1
    hits = transport(particles(1, 211 * charge, pt, eta, phi), own).hits
    curve = pt / (0.299792458 * FIELD)
    assert hits.layer.tolist() == [0, 1, 2]
    for radius, point in zip(radii, hits.true, strict=True):
        half = np.arcsin(radius / (2 * curve))
        angle = phi - charge * half
        expected = [radius * np.cos(angle), radius * np.sin(angle), 2 * curve * half * np.sinh(eta)]
        np.testing.assert_allclose(point, expected, rtol=1e-9)
    np.testing.assert_allclose(hits.measured, hits.true)


def test_what_curls_ends_before_the_layer():
    own = tracker((100.0, 0.0, (0, 0)), (900.0, 0.0, (0, 0)))
    run = transport(particles(1, 211, 200.0), own)  # its circle is 667 mm wide
    assert run.hits.layer.tolist() == [0]
    assert not run.states.alive[0]


def test_hits_are_measured_with_their_resolution():
    n = 20_000
    own = tracker((100.0, 0.0, (0.05, 0.2)))
    hits = transport(particles(n, 211, 1e4, 0.5), own, seed=2).hits
    angle = np.angle(np.exp(1j * np.arctan2(*hits.measured.T[[1, 0]])))
    true = np.arctan2(hits.true[:, 1], hits.true[:, 0])
    assert np.std(100 * (angle - true)) == pytest.approx(0.05, rel=0.03)
    assert np.std(hits.measured[:, 2] - hits.true[:, 2]) == pytest.approx(0.2, rel=0.03)
    np.testing.assert_allclose(np.hypot(*hits.measured[:, :2].T), 100)


def test_highland_s_formula():
    """13.6 MeV / (β p) √x (1 + 0.038 ln x) of a pion of 1 GeV in 1 % of a radiation length."""
    p = np.array([1000.0])
    energy = np.hypot(p, PION)
    beta = p / energy
    found = highland_angle(p, energy, np.array([-1.0]), np.array([0.01]))
    expected = 13.6 / (beta * p) * 0.1 * (1 + 0.038 * np.log(0.01 / beta**2))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert highland_angle(p, energy, np.zeros(1), np.array([0.01])).tolist() == [0]


def test_scattering_has_highland_s_width_in_both_planes():
    """Of particles under an angle, whose way in the layer is longer by its cosine."""
    n, thickness, eta = 40_000, 0.5, 0.8
    own = tracker((50.0, thickness, None), field=0.0)
    given = particles(n, -13, 1000.0, eta, mass=MUON)
    states = transport(given, own, seed=4).states
    depth = thickness * np.cosh(eta) / own.layers[0].matter.radiation_length
    p = given.momentum[:1]
    width = highland_angle(p, np.hypot(p, MUON), np.ones(1), np.array([depth]))[0]
    straight = np.array([1 / np.cosh(eta), 0.0, np.tanh(eta)])
    aside, up = np.array([0.0, 1.0, 0.0]), np.array([-np.tanh(eta), 0.0, 1 / np.cosh(eta)])
    for axis in (aside, up):
        angle = np.arctan(states.direction @ axis / (states.direction @ straight))
        assert angle.mean() == pytest.approx(0, abs=5 * width / np.sqrt(n))
        assert angle.std() == pytest.approx(width, rel=0.03)
    np.testing.assert_allclose(np.linalg.norm(states.direction, axis=1), 1)


def test_charged_particles_lose_what_the_formula_says():
    """Minimum at βγ = 3.5: the table's 0.388 MeV/mm of silicon; slow ones lose more."""
    minimum = ionisation_loss(
        np.array([3.5 * PION]), np.array([PION]), np.ones(1), 0.388, 14.0, np.ones(1)
    )
    assert minimum[0] == pytest.approx(0.388)
    own = tracker((50.0, 1.0, None), field=0.0)
    given = particles(3, 211, [100.0, 3.5 * PION, 1e4])
    states = transport(given, own).states
    lost = given.energy - states.energy
    assert lost[1] == pytest.approx(0.388, rel=1e-6)
    assert lost[0] > 2 * lost[1]
    assert 1.1 * lost[1] < lost[2] < 2 * lost[1]
    neutral = transport(particles(1, 2112, 500.0, mass=939.565), own).states
    assert neutral.energy[0] == pytest.approx(np.hypot(500, 939.565))
    slow = transport(particles(1, 2212, 20.0, mass=938.272), own).states  # 0.2 MeV
    assert not slow.alive[0]


def test_electrons_radiate_as_bethe_and_heitler_say():
    """The mean energy kept is exp(−x), its mean square exp(−x ln 3 / ln 2)."""
    n, x = 200_000, 0.1
    kept = radiated(np.full(n, x), np.random.default_rng(1))
    assert kept.mean() == pytest.approx(np.exp(-x), abs=5 * kept.std() / np.sqrt(n))
    square = np.exp(-x * np.log(3) / np.log(2))
    assert np.mean(kept**2) == pytest.approx(square, rel=0.002)
    assert np.all(radiated(np.zeros(3), np.random.default_rng(1)) == 1)


def test_photons_convert_and_the_pair_has_their_energy():
    n, thickness = 50_000, 5.0
    own = tracker((50.0, thickness, (0, 0)), (60.0, 0.0, (0, 0)), field=0.0)
    photons = particles(n, 22, 3000.0, mass=0.0)
    run = transport(photons, own, seed=3)
    depth = thickness / own.layers[0].matter.radiation_length
    expected = -np.expm1(-7 / 9 * depth)
    gone = ~run.states.alive[:n]
    assert gone.mean() == pytest.approx(expected, abs=5 * np.sqrt(expected / n))
    made = run.states.take(np.arange(n, len(run.states)))
    assert len(made) == 2 * gone.sum()
    assert set(made.born.tolist()) == {0}
    assert made.charge.sum() == 0
    energy = np.bincount(made.source, made.energy, n)
    np.testing.assert_allclose(energy[gone], 3000.0, rtol=1e-9)
    assert set(run.hits.layer.tolist()) == {1}  # the pair is seen behind the layer of its birth
    assert len(run.hits) == len(made)
    share = made.energy[made.charge < 0] / 3000
    # of 1 − 4/3 x (1 − x), over 7/9: <x²> = (1/3 − 4/3 (1/4 − 1/5)) 9/7
    spread = np.sqrt((1 / 3 - 1 / 15) * 9 / 7 - 1 / 4)
    assert share.std() == pytest.approx(spread, rel=0.03)
    assert share.mean() == pytest.approx(0.5, abs=0.01)
    light = converts(np.full(5, 0.0), np.random.default_rng(1))
    assert not light.any()
    soft = transport(particles(50, 22, 1.5 * ELECTRON, mass=0.0), own).states
    assert len(soft) == 50  # below the threshold of a pair


def test_the_shipped_tracker_sees_a_stiff_track_in_all_layers():
    run = transport(particles(200, -13, 1e4, 0.1, mass=MUON), "idea-vertex", seed=1)
    assert len(run.hits) == 5 * 200
    again = transport(particles(200, -13, 1e4, 0.1, mass=MUON), "idea-vertex", seed=1)
    assert np.array_equal(run.hits.measured, again.hits.measured)
    forward = transport(particles(1, -13, 1e4, 2.0, mass=MUON), "idea-vertex").hits
    assert forward.layer.tolist() == [1, 2, 3]  # beyond 163 mm there is no fourth


def test_wrong_trackers_are_refused(tmp_path):
    with pytest.raises(CardError, match="no card 'idea'"):
        load_tracker("idea")
    text = "name: own\nfield: 2 T\nlayers: [{name: a, radius: 1, half_length: 1, material: Moon,"
    (tmp_path / "own.yaml").write_text(f"{text} thickness: 1}}]\n")
    with pytest.raises(CardError, match="composition of Moon is not known"):
        load_tracker(tmp_path / "own.yaml")
    with pytest.raises(ValueError, match="radii ascend"):
        tracker((50.0, 0.0, None), (50.0, 0.0, None))
