import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.conditions import Conditions, EnergySpectrum
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import SimulacraError
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.geant4 import ChunkResult
from simulacra.fullsim.job import Job

PHOTONS = Geant4Settings(particle="gamma")
CALOGAN = load_detector("calogan")
TWO_POINTS = EnergySpectrum.parse("1GeV,30GeV")


@given(st.lists(st.floats(1.0, 2e5), min_size=1, max_size=300))
@settings(deadline=None)
def test_chunks_cut_the_job_into_equal_energies(energies):
    conditions = Conditions({"energy": np.array(energies, np.float32)})
    job = Job.of(CALOGAN, PHOTONS, conditions, seed=1)
    rows = np.concatenate([np.arange(len(job))[rows] for rows in job.bounds])
    np.testing.assert_array_equal(rows, np.arange(len(job)))
    for chunk in job.chunks:
        assert len(chunk.primaries) >= 1
        assert chunk.primaries.energy[:-1].sum() <= CalorimeterSetup.chunk_cost * (1 + 1e-6)


def test_large_jobs_get_larger_chunks():
    conditions = Conditions({"energy": np.full(20_000, 1e5, np.float32)})
    assert len(Job.of(CALOGAN, PHOTONS, conditions, seed=1).bounds) <= 2001


def test_an_energy_list_is_cycled_over_the_whole_job(atlas):
    job = Job.of(atlas, PHOTONS, TWO_POINTS, seed=1, n=101)
    np.testing.assert_array_equal(job.conditions["energy"], np.resize([1000, 30000], 101))
    assert len(job.chunks) > 2


def test_everything_follows_from_the_seed(atlas):
    first, again, other = (Job.of(atlas, PHOTONS, TWO_POINTS, seed=s, n=20) for s in (1, 1, 2))
    assert first.identity == again.identity != other.identity
    seeds, same, others = (
        np.concatenate([chunk.seeds for chunk in job.chunks]) for job in (first, again, other)
    )
    np.testing.assert_array_equal(seeds, same)
    assert seeds.shape == (len(first.chunks), 2)
    assert len(np.unique([*seeds.ravel(), *others.ravel()])) == seeds.size + others.size


def test_given_conditions_place_the_particles(atlas):
    drawn = Job.of(atlas, PHOTONS, TWO_POINTS, seed=1, n=20)
    x, y, _ = np.concatenate([chunk.primaries.position for chunk in drawn.chunks]).T
    for name, column in atlas.locate(x, y).items():
        np.testing.assert_allclose(column, drawn.conditions[name], atol=1e-4)


def test_unusable_requests_are_explained(atlas):
    with pytest.raises(SimulacraError, match="calorimeter, tpc, not a jet-image"):
        Job.of(load_detector("jet-image"), PHOTONS, TWO_POINTS, seed=1, n=3)
    with pytest.raises(SimulacraError, match="number of events"):
        Job.of(atlas, PHOTONS, TWO_POINTS, seed=1)
    with pytest.raises(SimulacraError, match="no condition 'impact_eta'"):
        Job.of(atlas, PHOTONS, Conditions({"energy": np.ones(3)}), seed=1)
    with pytest.raises(SimulacraError, match="no events"):
        Job.of(CALOGAN, PHOTONS, Conditions({"energy": np.ones(0)}), seed=1)


def test_a_declared_pdg_condition_is_filled():
    text = CALOGAN.to_yaml().replace(
        "conditions:\n", "conditions:\n  pdg: {role: categorical, categories: [22, 211]}\n"
    )
    job = Job.of(parse_detector(text), PHOTONS, TWO_POINTS, seed=1, n=3)
    assert job.conditions["pdg"].tolist() == [22, 22, 22]
    with pytest.raises(SimulacraError, match="other particles than pi\\+"):
        Job.of(job.detector, Geant4Settings(particle="pi+"), job.conditions, seed=1)


# --- several particles -------------------------------------------------------------------------


def test_several_particles_are_a_condition_of_their_own(atlas):
    mixed = Job.of(atlas, Geant4Settings(particle="e-,gamma"), TWO_POINTS, seed=1, n=24)
    assert mixed.detector == atlas.with_particles((11, 22))
    assert mixed.conditions["pdg"].tolist() == [11, 11, 22, 22] * 6
    shot = np.concatenate([chunk.primaries.pdg for chunk in mixed.chunks])
    np.testing.assert_array_equal(shot, mixed.conditions["pdg"])
    said = mixed.provenance(ChunkResult({}, "11.4.1"))
    assert (said["particle"], said["pdg"]) == ("e-,gamma", None)
    single = Job.of(atlas, PHOTONS, TWO_POINTS, seed=1, n=24)
    assert single.detector is atlas
    for name in atlas.conditions:
        np.testing.assert_array_equal(single.conditions[name], mixed.conditions[name])


def test_conditions_bring_their_particles(atlas):
    rows = Job.of(atlas, PHOTONS, TWO_POINTS, seed=1, n=4).conditions
    mixed = Conditions({**rows.columns, "pdg": np.array([11, 22, 22, -211])})
    job = Job.of(atlas, Geant4Settings(), mixed, seed=1)
    assert job.detector.particles == (11, 22, -211)
    assert np.concatenate([c.primaries.pdg for c in job.chunks]).tolist() == [11, 22, 22, -211]
    with pytest.raises(SimulacraError, match="other particles than gamma"):
        Job.of(atlas, PHOTONS, mixed, seed=1)
    with pytest.raises(SimulacraError, match="which particle"):
        Job.of(atlas, Geant4Settings(particle="e-,gamma"), rows, seed=1)


def test_a_declared_particle_is_one_of_those_declared(atlas):
    declared = atlas.with_particles((11, 22, -211))
    job = Job.of(declared, PHOTONS, TWO_POINTS, seed=1, n=4)
    assert job.detector is declared
    assert job.conditions["pdg"].tolist() == [22] * 4
    with pytest.raises(SimulacraError, match="not mu-"):
        Job.of(declared, Geant4Settings(particle="e-,mu-"), TWO_POINTS, seed=1, n=4)


def test_what_any_of_the_particles_needs_is_there():
    assert not Geant4Settings(particle="e-,gamma").decays
    assert Geant4Settings(particle="e-,mu-").decays
    assert Geant4Settings(particle="e-,pi-").misses_showers
    assert not Geant4Settings(particle="e-,pi-", physics="FTFP_BERT").misses_showers
