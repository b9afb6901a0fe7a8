"""Tracks that Geant4 brings through the TPC: curvature, energy loss, decays, what is followed."""

import h5py
import numpy as np
import pytest

from simulacra.conditions import Conditions, EnergySpectrum
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool, simulate
from simulacra.observables.tpc.tracks import Tracks
from simulacra.observables.tpc.tracks_against_helices import dedx

pytestmark = pytest.mark.geant4

SPECIES = {13: 3000.0, -13: 3000.0, 211: 500.0, 321: 500.0, 2212: 500.0, 11: 500.0, -211: 120.0}
"""Transverse momentum (MeV) at which each is simulated."""
EACH = 14


@pytest.fixture(scope="module")
def tracks(tpc):
    """Tracks of every species, ordered as in the table; |eta| < 0.5, from the middle."""
    rng = np.random.default_rng(8)
    momenta = np.repeat(list(SPECIES.values()), EACH)
    columns = tpc.draw(momenta, rng)
    columns |= {name: np.zeros(len(momenta), np.float32) for name in ("vertex_x", "vertex_y")}
    columns["pdg"] = np.repeat(np.array(list(SPECIES), np.int32), EACH)
    columns["pseudorapidity"] *= 0.5 / 0.9
    events = Geant4Simulator(tpc, Geant4Settings()).simulate(Conditions(columns), seed=3)
    events.check()
    return Tracks(events)


def of(tracks, pdg):
    return tracks.conditions["pdg"] == pdg


@pytest.mark.parametrize("pdg", [13, -13])
def test_stiff_tracks_follow_the_helix_of_their_momentum(tracks, pdg):
    """A positive particle turns clockwise; scattering bends 3 GeV/c by a few mm at most."""
    chosen = of(tracks, pdg)
    expected = 0.299792458 * 0.5 / 3000 * np.sign(pdg)  # muons of positive code are negative
    np.testing.assert_allclose(tracks.fit.helix.curvature[chosen], expected, rtol=0.05)
    assert tracks.number[chosen].min() > 150
    distance = np.sqrt(np.median(tracks.mean_square(tracks.true)[chosen]))
    assert 0.5 < distance < 6


def test_energy_loss_orders_the_species(tracks):
    """At p_T = 500 MeV/c: protons lose most, electrons are on the Fermi plateau, pions least."""
    loss = {pdg: np.median(dedx(tracks)[of(tracks, pdg)]) for pdg in SPECIES}
    assert loss[2212] > 1.5 * loss[321] > 1.5 * loss[211]
    assert 1.3 < loss[11] / loss[211] < 1.8


def test_curling_tracks_stop_at_their_apex(tracks):
    """2 R = 1.6 m at 120 MeV/c, where nothing but a decay or a photon gets further."""
    curling = tracks.present[of(tracks, -211)]
    radii = tracks.detector.row_radii
    apex = 2 * 120 / (0.299792458 * 0.5)
    within = curling[:, radii < 0.85 * apex].mean()
    assert within > 0.6
    assert curling[:, radii > 1.05 * apex].mean() < 0.3 * within


def test_the_events_do_not_depend_on_the_number_of_workers(tpc, tmp_path):
    spectrum = EnergySpectrum.parse("200MeV..2GeV")
    for workers in (1, 2):
        simulate(
            tpc,
            Geant4Settings(),
            spectrum,
            tmp_path / f"{workers}.h5",
            seed=2,
            n=70,
            workers=workers,
        )
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()
    with h5py.File(tmp_path / "1.h5") as file:
        assert "incident_energies" not in file
        assert '"transverse_momentum": "200MeV..2GeV"' in file.attrs["provenance"]
        assert '"cut_mm": 10.0' in file.attrs["provenance"]


def test_a_particle_can_be_chosen(tpc):
    settings = Geant4Settings(particle="pi+")
    with WorkerPool(1) as pool:
        simulator = Geant4Simulator(tpc, settings, executor=pool)
        columns = tpc.draw(np.full(3, 1000.0), np.random.default_rng(0))
        columns["pdg"][:] = 211
        events = simulator.simulate(Conditions(columns), 1)
    assert events["cluster_mask"].sum() > 300
