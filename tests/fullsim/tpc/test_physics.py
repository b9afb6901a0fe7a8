"""The physics of full simulation, on the embedded sample of tracks: no Geant4 needed."""

import itertools

import numpy as np
import pytest
from particle import Particle

from simulacra.datasets.samples import load_sample
from simulacra.events import Events
from simulacra.observables.tpc.tracks import Tracks
from simulacra.observables.tpc.tracks_against_helices import dedx

ELECTRON_MASS = 0.51099895
CHARGED = (13, 211, 321, 2212)


@pytest.fixture(scope="module")
def tracks():
    return Tracks(Events.concatenate([load_sample(s, "alice-tpc") for s in ("train", "test")]))


@pytest.fixture(scope="module")
def momentum(tracks):
    columns = tracks.conditions
    return columns["transverse_momentum"] * np.cosh(columns["pseudorapidity"])


@pytest.fixture(scope="module")
def species(tracks):
    return np.abs(tracks.conditions["pdg"])


def beta_gamma(momentum, pdg):
    return momentum / Particle.from_pdgid(pdg).mass


def most_probable_loss(beta_gamma):
    """Most probable energy loss in 1 cm of the gas in MeV, below the density effect.

    Landau, Vavilov and Bichsel as in the PDG's review (2024), eq. 34.12, with neon's I = 137 eV.
    """
    beta2 = beta_gamma**2 / (1 + beta_gamma**2)
    xi = 0.307075 / 2 * 0.5 * 9.4e-4 / beta2
    excitation = 137e-6
    logarithms = np.log(2 * ELECTRON_MASS * beta_gamma**2 / excitation) + np.log(xi / excitation)
    return xi * (logarithms + 0.2 - beta2)


def width(values):
    """Half of the central 68 %."""
    low, high = np.quantile(values, [0.16, 0.84])
    return (high - low) / 2


def whole(tracks):
    """Tracks that cross the chamber from the first row to the last, (n,)."""
    return tracks.number > 140


def test_the_sample_keeps_its_contract(tracks):
    tracks.events.check()
    missing = ~tracks.present
    assert missing.any()
    assert not tracks.events["clusters"][missing].any()
    np.testing.assert_allclose(
        np.hypot(*np.moveaxis(tracks.points[..., :2], -1, 0))[tracks.present],
        np.broadcast_to(tracks.detector.row_radii, missing.shape)[tracks.present],
        atol=0.05,  # positions are rounded
    )
    assert np.all(tracks.charge[tracks.present] >= tracks.charge_max[tracks.present])


def test_the_splits_share_no_track():
    momenta = [
        load_sample(s, "alice-tpc").conditions["phi"] for s in ("train", "selection", "test")
    ]
    assert len(np.unique(np.concatenate(momenta))) == sum(map(len, momenta)) > 4000


def test_curvature_is_that_of_the_transverse_momentum(tracks, species):
    """kappa p_T = 0.3 B, clockwise for positive charges; loss before the gas adds a little."""
    transverse = tracks.conditions["transverse_momentum"]
    positive = np.isin(tracks.conditions["pdg"], (-11, -13, 211, 321, 2212))
    ratio = tracks.fit.helix.curvature * transverse / (0.299792458 * 0.5)
    ratio *= np.where(positive, -1, 1)
    stable = np.isin(species, (13, 211, 2212)) & whole(tracks)
    for low, high, offset, spread in ((500, 1e3, 0.03, 0.04), (2e3, 1e4, 0.005, 0.05)):
        chosen = ratio[stable & (transverse > low) & (transverse < high)]
        assert len(chosen) > 200
        assert abs(np.median(chosen) - 1) < offset
        assert width(chosen) < spread


def test_energy_loss_follows_bethe_bloch(tracks, momentum, species):
    """All species lie on one curve of beta gamma: a fall, a minimum near 3.5, a rise."""
    loss = dedx(tracks)
    edges = np.geomspace(1.5, 60, 8)
    medians = np.full((len(CHARGED), len(edges) - 1), np.nan)
    for i, pdg in enumerate(CHARGED):
        x = beta_gamma(momentum, pdg)
        good = whole(tracks) & (species == pdg)
        for j in range(len(edges) - 1):
            here = loss[good & (x >= edges[j]) & (x < edges[j + 1])]
            if len(here) >= 15:
                medians[i, j] = np.median(here)
    curve = np.nanmedian(medians, axis=0)
    assert np.sum(np.isfinite(medians)) > 16
    np.testing.assert_array_less(np.abs(medians / curve - 1)[np.isfinite(medians)], 0.06)
    middles = np.sqrt(edges[:-1] * edges[1:])
    expected = most_probable_loss(middles)
    shape = (curve / expected) / np.median(curve / expected)
    np.testing.assert_allclose(shape, 1, atol=0.08)
    assert 2 < middles[np.argmin(curve)] < 7


@pytest.mark.parametrize(
    ("lighter", "heavier", "low", "high"),
    [(211, 321, 300, 500), (211, 2212, 500, 900), (321, 2212, 600, 900), (13, 211, 100, 150)],
)
def test_species_separate_at_low_momentum(tracks, momentum, species, lighter, heavier, low, high):
    """By three standard deviations; muons and pions, which are nearly as heavy, by much less."""
    loss = np.log(dedx(tracks))
    there = (momentum > low) & (momentum < high) & np.isfinite(loss)
    light, heavy = (loss[there & (species == pdg)] for pdg in (lighter, heavier))
    assert min(len(light), len(heavy)) > 15
    distance = np.median(heavy) - np.median(light)
    resolution = 0.06
    assert distance > 3 * resolution if heavier != 211 else 0 < distance < 8 * resolution


def test_energy_loss_of_a_track_is_resolved_as_in_alice(tracks, momentum, species):
    """5 % with all 159 rows; a little more here, because the momenta differ."""
    chosen = whole(tracks) & (species == 211) & (momentum > 400) & (momentum < 700)
    loss = dedx(tracks)[chosen]
    assert 0.03 < width(loss) / np.median(loss) < 0.08


def test_residuals_grow_with_the_root_of_the_drift_length(tracks, momentum):
    """Of stiff tracks, against the mean of the neighbouring rows, for the electrons of one row.

    Their variance is a little for the pads and D^2 L over the number of electrons, which grows with
    the path, cosh(eta), and with the pitch.
    """
    stiff = whole(tracks) & (momentum > 1500)
    path = np.cosh(tracks.conditions["pseudorapidity"][stiff])[:, None]
    slopes = []
    for region, lengths in (("outer", (500, 2500)), ("outermost", (0, 2500))):
        rows = tracks.rows_of(region)
        beside = tracks.beside_true.axes[0][stiff, rows]
        judged = tracks.beside_true.judged[stiff, rows]
        judged = judged[:, 1:-1] & judged[:, :-2] & judged[:, 2:]
        local = (beside[:, 1:-1] - (beside[:, :-2] + beside[:, 2:]) / 2) / np.sqrt(1.5)
        local = local * np.sqrt(path)
        length = 2500 - np.abs(tracks.points[stiff, rows, 2][:, 1:-1])
        edges = np.linspace(*lengths, 6)
        bins = [judged & (length >= a) & (length < b) for a, b in itertools.pairwise(edges)]
        variance = np.array([width(local[here]) ** 2 for here in bins])
        middles = (edges[:-1] + edges[1:]) / 2
        slope, constant = np.polyfit(middles, variance, 1)
        np.testing.assert_allclose(slope * middles + constant, variance, atol=0.04)
        assert 0 < constant < 0.2 * variance[-1]
        assert 0.5 < np.sqrt(variance[-1]) < 1.0
        slopes.append(slope)
    assert slopes[0] / slopes[1] == pytest.approx(15 / 10, rel=0.25)
