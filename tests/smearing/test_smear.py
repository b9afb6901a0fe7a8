"""Delphes-like smearing: moments of the formulas, efficiencies, energies, towers and refusals."""

import numpy as np
import pytest

from simulacra.errors import CardError, EventsError
from simulacra.smearing.card import SmearingCard, load_smearing, shipped_cards
from simulacra.smearing.particles import Particles
from simulacra.smearing.propagate import exits
from simulacra.smearing.random_numbers import log_normal
from simulacra.smearing.smear import smear, tracking

GEV = 1e3


def particles(n, pdg, pt, eta=0.3, phi=0.1, mass=0.0, event=None):
    """Particles (n,) of equal or given columns; each is an event by itself."""
    columns = (np.broadcast_to(value, n) for value in (pdg, pt, eta, phi, mass))
    return Particles.of(np.arange(n) if event is None else event, *columns)


def mixed(n=20_000, seed=1, eta=4.5):
    rng = np.random.default_rng(seed)
    return Particles.of(
        np.sort(rng.integers(0, 200, n)),
        rng.choice([22, 11, -11, 13, 211, -211, 130, 310, 12, 2112], n),
        np.exp(rng.uniform(np.log(500), np.log(5e4), n)),
        rng.uniform(-eta, eta, n),
        rng.uniform(-np.pi, np.pi, n),
        np.full(n, 139.57),
    )


@pytest.fixture(params=shipped_cards("cards"))
def card(request):
    return load_smearing(request.param)


# --- formulas -----------------------------------------------------------------------------------


def test_log_normal_numbers_have_mean_and_width():
    n = 200_000
    for mean, sigma in ((10.0, 1.0), (10.0, 8.0)):
        drawn = log_normal(np.full(n, mean), np.full(n, sigma), np.random.default_rng(1))
        assert drawn.mean() == pytest.approx(mean, abs=5 * sigma / np.sqrt(n))
        assert drawn.std() == pytest.approx(sigma, rel=0.03)
    assert log_normal(np.zeros(2), np.ones(2), np.random.default_rng(1)).tolist() == [0, 0]


CMS_ECAL = [  # η and E (GeV), and σ (GeV) as the published formula gives it
    (0.0, 50.0, np.sqrt((50 * 0.008) ** 2 + 50 * 0.11**2 + 0.4**2)),
    (1.0, 50.0, 1.64 * np.sqrt((50 * 0.008) ** 2 + 50 * 0.11**2 + 0.4**2)),
    (-2.3, 9.0, (2.16 + 5.6 * 0.3**2) * np.sqrt((9 * 0.008) ** 2 + 9 * 0.11**2 + 0.4**2)),
    (4.0, 100.0, np.sqrt((100 * 0.107) ** 2 + 100 * 2.08**2)),
    (5.1, 100.0, 0.0),
]
ATLAS_HCAL = [
    (1.7, 20.0, np.sqrt((20 * 0.0302) ** 2 + 20 * 0.5205**2 + 1.59**2)),
    (1.8, 20.0, np.sqrt((20 * 0.05) ** 2 + 20 * 0.706**2)),
    (4.9, 20.0, np.sqrt((20 * 0.0942) ** 2 + 20.0)),
]


@pytest.mark.parametrize(
    ("name", "part", "rows"),
    [("cms", "electromagnetic", CMS_ECAL), ("atlas", "hadronic", ATLAS_HCAL)],
)
def test_cards_have_the_published_resolutions(name, part, rows):
    eta, energy, expected = np.array(rows).T
    calorimeter = getattr(load_smearing(name), part)
    np.testing.assert_allclose(calorimeter.sigma(eta, energy * GEV), expected * GEV, rtol=1e-12)


def test_tracks_have_the_published_efficiencies_and_resolutions():
    pt = np.array([0.05, 0.5, 50.0, 200.0, 3000.0]) * GEV
    cases = {
        (211, 0.2): ([0, 0.7, 0.95, 0.95, 0.95], np.hypot(0.06, 1.3e-3 * pt / GEV)),
        (-11, 2.0): ([0, 0.5, 0.83, 0.9, 0.9], np.hypot(0.15, 3.1e-3 * pt / GEV)),
        (13, 1.0): (
            [0, 0.75, 0.99, 0.99, 0.99 * np.exp(0.5 - 3000 * 5e-4)],
            np.hypot(0.015, 1.5e-4 * pt / GEV),
        ),
        (22, 0.2): ([0] * 5, [0] * 5),
        (211, 2.6): ([0] * 5, [0] * 5),
    }
    for (pdg, eta), (efficiency, resolution) in cases.items():
        given = particles(5, pdg, pt, eta)
        found = tracking(given, np.full(5, eta), load_smearing("cms"))
        np.testing.assert_allclose(found[0], efficiency, atol=1e-12)
        np.testing.assert_allclose(found[1], resolution, atol=1e-12)


def test_towers_are_smeared_with_the_mean_and_width_of_the_formula(card):
    """One photon a tower: energies above the thresholds."""
    n, pt = 40_000, 80 * GEV
    seen = smear(particles(n, 22, pt), card, seed=2).electromagnetic
    energy = pt * np.cosh(0.3)
    assert len(seen) == n
    np.testing.assert_allclose(seen.deposited, energy, rtol=1e-12)
    assert np.unique(seen.tower).size == 1
    edges = card.electromagnetic.eta_edges
    ring = np.searchsorted(edges, 0.3) - 1
    middle = (edges[ring] + edges[ring + 1]) / 2
    sigma = card.electromagnetic.sigma(np.array([middle]), np.array([energy]))[0]
    assert seen.energy.mean() == pytest.approx(energy, abs=5 * sigma / np.sqrt(n))
    assert seen.energy.std() == pytest.approx(sigma, rel=0.03)
    assert np.all((seen.eta >= edges[ring]) & (seen.eta <= edges[ring + 1]))


def test_tracks_close_efficiency_and_resolution(card):
    n, pt = 40_000, 20 * GEV
    tracks = smear(particles(n, 211, pt, mass=139.57), card, seed=3).tracks
    assert len(tracks) / n == pytest.approx(0.95, abs=5 * np.sqrt(0.95 * 0.05 / n))
    width = np.hypot(0.06, 1.3e-3 * 20)
    assert tracks.particles.pt.mean() == pytest.approx(pt, rel=5 * width / np.sqrt(n))
    assert tracks.particles.pt.std() / pt == pytest.approx(width, rel=0.03)
    assert np.array_equal(tracks.particles.event, tracks.source)
    assert set(tracks.particles.pdg.tolist()) == {211}


# --- energies and towers ------------------------------------------------------------------------


def test_energy_is_shared_by_the_fractions_and_conserved(card):
    """What particles leave in towers is their energy times the fractions, inside the towers."""
    given = mixed()
    seen = smear(given, card)
    out = exits(given, card.field, card.radius, card.half_length)
    fractions = card.fractions_of(given.pdg)
    assert fractions[given.pdg == 310].tolist() == [[0.3, 0.7]] * int(np.sum(given.pdg == 310))
    for part, (towers, calorimeter) in enumerate(
        ((seen.electromagnetic, card.electromagnetic), (seen.hadronic, card.hadronic))
    ):
        inside = np.abs(out.eta) <= calorimeter.eta_edges[-1]
        for event in (0, 77):
            mine = inside & (given.event == event)
            expected = np.sum(given.energy[mine] * fractions[mine, part])
            found = towers.deposited[towers.event == event].sum()
            assert found == pytest.approx(expected, rel=1e-12)
        kept = towers.energy > 0
        assert towers.energy[kept].min() >= calorimeter.smallest_energy
    dark = np.isin(np.abs(given.pdg), (12, 13))
    assert np.all(fractions[dark] == 0)


def test_particles_fall_into_the_tower_that_they_point_at(card):
    """Neutral ones: the towers' edges hold the particle, on both sides and around the circle."""
    given = mixed(4000, 5)
    neutral = given.take(given.pdg == 22)
    alone = Particles.of(
        np.arange(len(neutral)), *(getattr(neutral, n) for n in ("pdg", "pt", "eta", "phi", "mass"))
    )
    quiet = card.electromagnetic.model_copy(
        update={"smallest_energy": 0.0, "smallest_significance": 0.0, "spread_centres": False}
    )
    towers = smear(alone, card.model_copy(update={"electromagnetic": quiet})).electromagnetic
    rows = towers.event
    edges, counts = quiet.eta_edges, quiet.phi_counts
    ring = np.searchsorted(edges, np.abs(towers.eta)) - 1
    d_eta = np.abs(towers.eta - alone.eta[rows])
    d_phi = np.abs(np.angle(np.exp(1j * (towers.phi - alone.phi[rows]))))
    assert np.all(d_eta <= np.diff(edges)[ring] / 2 + 1e-9)
    assert np.all(d_phi <= np.pi / counts[ring] + 1e-9)
    assert len(rows) == np.sum(np.abs(alone.eta) <= edges[-1])


def test_the_same_seed_gives_the_same_and_first_tracks_do_not_depend_on_later_ones(card):
    given = mixed(2000)
    one, two, other = (smear(given, card, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.tracks.particles.pt, two.tracks.particles.pt)
    assert np.array_equal(one.hadronic.energy, two.hadronic.energy)
    assert not np.array_equal(one.hadronic.energy, other.hadronic.energy)


def test_events_without_particles_are_kept():
    given = Particles.of([1], [22], [1e4], [0.0], [0.0], [0.0], n_events=4)
    seen = smear(given, "atlas")
    assert seen.electromagnetic.n_events == seen.tracks.particles.n_events == 4
    nothing = Particles.of([], [], [], [], [], [], n_events=2)
    assert len(smear(nothing).hadronic) == 0


# --- the way to the calorimeter -----------------------------------------------------------------


def test_particles_leave_the_field_in_closed_form():
    """A circle of radius R = p_T / (0.3 B): the chord to the wall turns by asin(r / 2R)."""
    field, radius, length = 2.0, 1150.0, 3510.0
    pt, eta = np.array([1.0, 5.0, 50.0]) * GEV, np.array([0.0, 0.5, -1.0])
    for pdg, sign in ((211, -1), (-211, 1), (22, 0)):
        out = exits(particles(3, pdg, pt, eta, 0.4), field, radius, length)
        curve = pt / (0.299792458 * field)
        half = np.arcsin(radius / (2 * curve))
        path = radius if sign == 0 else 2 * curve * half
        np.testing.assert_allclose(np.hypot(*out.position[:, :2].T), radius)
        np.testing.assert_allclose(out.phi, 0.4 + sign * half, rtol=1e-8)
        np.testing.assert_allclose(out.position[:, 2], path * np.sinh(eta), rtol=1e-9)


def test_what_curls_or_flies_along_the_beam_leaves_at_an_end():
    field, radius, length = 3.8, 1290.0, 3000.0
    out = exits(particles(3, 211, [200.0, 2e4, 2e4], [0.3, 3.0, -3.0]), field, radius, length)
    assert out.position[:, 2].tolist() == [length, length, -length]
    path = length / np.sinh(0.3)
    curve = 200 / (0.299792458 * field)
    chord = 2 * curve * abs(np.sin(path / (2 * curve)))
    assert np.hypot(*out.position[0, :2]) == pytest.approx(chord)
    far = Particles.of([0], [22], [1e3], [0.0], [0.0], [0.0], [[2000.0, 0.0, 0.0]])
    assert not exits(far, field, radius, length).inside[0]
    assert len(smear(far).electromagnetic) == 0


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [
        ([0], [22], [-1.0], [0.0], [0.0], [0.0]),
        ([0], [22], [np.nan], [0.0], [0.0], [0.0]),
        ([1, 0], [22, 22], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
        ([0], [22, 11], [1.0], [0.0], [0.0], [0.0]),
        ([0], [22], [1.0], [30.0], [0.0], [0.0]),
    ],
)
def test_particles_without_sense_are_refused(columns):
    with pytest.raises(EventsError):
        Particles.of(*columns)


def test_wrong_cards_are_refused_in_one_line(tmp_path):
    with pytest.raises(CardError, match="no card 'csm'.*did you mean cms"):
        load_smearing("csm")
    good = load_smearing("atlas").model_dump(mode="json")
    for change, why in (
        ({"fractions": {"11": [1, 0]}}, "say those of 'other' particles"),
        ({"fractions": {"other": [0.7, 0.7]}}, "add up to more than 1"),
        ({"feild": 2}, "unknown key"),
    ):
        with pytest.raises(ValueError, match=why):
            SmearingCard.model_validate(good | change)
    (tmp_path / "bad.yaml").write_text("name: bad\nfield: 2 GeV\n")
    with pytest.raises(CardError, match="bad.yaml"):
        load_smearing(tmp_path / "bad.yaml")
