import pytest
from pydantic import ValidationError

from simulacra.errors import SimulacraError
from simulacra.fullsim import Geant4Settings, pdg_id
from simulacra.fullsim.kinds import setup_of


@pytest.mark.parametrize(
    ("name", "pdg"),
    [
        *(("gamma", 22), ("e-", 11), ("e+", -11), ("mu-", 13), ("pi+", 211), ("proton", 2212)),
        *(
            ("neutron", 2112),
            ("K+", 321),
            ("kaon0L", 130),
            ("K0L", 130),
            ("22", 22),
            ("-211", -211),
        ),
    ],
)
def test_names_and_ids_of_particles(name, pdg):
    assert pdg_id(name) == pdg
    assert Geant4Settings(particle=name).pdg == pdg


@pytest.mark.parametrize("field", [{"particle": "gama"}, {"particle": "99999999"}])
def test_unknown_particle(field):
    with pytest.raises(SimulacraError, match=r"unknown particle.*gamma, e-"):
        Geant4Settings(**field)


def test_unknown_physics_names_the_choices():
    with pytest.raises(SimulacraError, match=r"unknown physics list 'opt9'.*opt0.*FTFP_BERT"):
        Geant4Settings(particle="gamma", physics="opt9")


def test_cut_has_a_unit_and_is_positive():
    assert Geant4Settings(particle="gamma", cut="0.1 cm").cut == 1.0
    with pytest.raises(ValidationError):
        Geant4Settings(particle="gamma", cut=0)


def test_only_particles_that_decay_get_decays():
    assert not Geant4Settings(particle="e+").decays
    assert Geant4Settings(particle="mu-").decays


@pytest.mark.parametrize(
    ("particle", "physics", "expected"),
    [
        *(("pi+", "opt0", True), ("neutron", "opt4", True), ("alpha", "gs", True)),
        *(("pi+", "FTFP_BERT", False), ("mu-", "opt0", False), ("pi0", "opt0", False)),
        *(("gamma", "opt0", False), (None, "opt0", False)),
    ],
)
def test_hadrons_shower_in_hadronic_physics_alone(particle, physics, expected):
    assert Geant4Settings(particle=particle, physics=physics).misses_showers == expected


def test_the_conditions_may_say_the_particle():
    settings = Geant4Settings()
    assert settings.pdg is None
    assert settings.decays


def test_cuts_are_those_asked_for_or_the_detectors(tpc, atlas):
    def cut(detector, **settings):
        return Geant4Settings(**settings).cut_or(setup_of(detector).cut)

    assert cut(tpc) == 10
    assert cut(tpc, cut="3 mm") == 3
    assert cut(atlas, particle="gamma") == 1
    assert cut(atlas, particle="pi+", physics="FTFP_BERT") == 1
