import numpy as np
import pytest

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import DetectorError, EventsError, SimulacraError, SimulatorError
from simulacra.events import Events, require_same_detector
from simulacra.io import read_events, write_events
from simulacra.particles import (
    ParticleMixture,
    in_order,
    pdg_id,
    recorded_particles,
    require_served,
)
from tests.conftest import random_events


def of(events, **facts):
    """The same events with another provenance."""
    return Events(events.conditions, events.response, events.detector, facts)


@pytest.mark.parametrize("points", [1, 2, 3])
@pytest.mark.parametrize("particles", ["gamma", "e-,gamma", "e-,gamma,pi-"])
def test_each_particle_in_turn_gets_each_energy_in_turn(barrel, points, particles):
    """Otherwise the particle could be read off the energy."""
    mixture = ParticleMixture.parse(particles)
    detector = barrel.with_particles(in_order(mixture.ids))
    energies = EnergySpectrum(tuple(1000.0 * (i + 1) for i in range(points)))
    n = 4 * points * len(mixture.ids)
    drawn = draw_conditions(detector, energies, n, np.random.default_rng(1), mixture)
    pairs, counts = np.unique(
        np.column_stack([drawn["energy"], drawn["pdg"]]), axis=0, return_counts=True
    )
    assert len(pairs) == points * len(mixture.ids)
    assert set(counts.tolist()) == {4}


def test_weights_are_frequencies():
    drawn = ParticleMixture.parse("e-:3,gamma:1").draw(4000, 1, np.random.default_rng(2))
    assert np.count_nonzero(drawn == 11) == pytest.approx(3000, abs=5 * np.sqrt(750))


def test_particles_change_nothing_else_that_is_drawn(barrel):
    spectrum = EnergySpectrum.parse("1GeV..9GeV")
    plain = draw_conditions(barrel, spectrum, 50, np.random.default_rng(3))
    mixture = ParticleMixture.parse("e-:1,gamma:1")
    mixed = draw_conditions(
        barrel.with_particles((11, 22)), spectrum, 50, np.random.default_rng(3), mixture
    )
    for name in barrel.conditions:
        assert np.array_equal(plain[name], mixed[name])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("e-,nothing", "unknown particle 'nothing'"),
        ("e-,e-", "named once"),
        ("e-,11", "named once"),
        ("e-:2,gamma", "each of them a weight"),
        ("e-:0,gamma:1", "no weight"),
        ("e-:x,gamma:1", "no weight"),
        ("e-:nan,gamma:1", "no weight"),
    ],
)
def test_mistakes_in_mixtures(text, word):
    with pytest.raises(SimulacraError, match=word):
        ParticleMixture.parse(text)


def test_a_declared_particle_must_be_given_and_be_one_of_them(barrel):
    detector = barrel.with_particles((11, 22))
    rng, spectrum = np.random.default_rng(1), EnergySpectrum.parse("1GeV")
    with pytest.raises(SimulacraError, match="declares e-, gamma: give --particle"):
        draw_conditions(detector, spectrum, 3, rng)
    with pytest.raises(SimulacraError, match="declares e-, gamma, not pi-"):
        draw_conditions(detector, spectrum, 3, rng, ParticleMixture.parse("e-,pi-"))


def test_a_chamber_draws_all_its_species_or_those_that_are_named():
    tpc, spectrum = load_detector("alice-tpc"), EnergySpectrum.parse("1GeV")
    drawn = draw_conditions(tpc, spectrum, 400, np.random.default_rng(1))
    assert set(drawn["pdg"].tolist()) == set(tpc.particles)
    two = ParticleMixture.parse("pi-,pi+")
    named = draw_conditions(tpc, spectrum, 400, np.random.default_rng(1), two)
    assert set(named["pdg"].tolist()) == {-211, 211}
    assert np.array_equal(named["phi"], drawn["phi"])
    assert tpc.without_particles() is tpc


def test_detectors_agree_in_what_they_read_out(barrel):
    with_pdg = barrel.with_particles((11, 22))
    assert parse_detector(with_pdg.to_yaml()) == with_pdg
    assert with_pdg.fingerprint != barrel.fingerprint
    assert with_pdg.without_particles() == barrel
    require_same_detector(barrel, with_pdg)
    described = barrel.model_copy(update={"name": "mine", "description": "the same"})
    with pytest.warns(UserWarning, match="mine and atlas-barrel read out and build the same"):
        require_same_detector(barrel, described)
    wider = barrel.model_copy(update={"beam": barrel.beam.model_copy(update={"x": (-10.0, 10.0)})})
    with pytest.raises(EventsError, match="same name, other geometry"):
        require_same_detector(barrel, wider)


def test_a_declared_particle_is_categorical(barrel):
    text = barrel.with_particles((11, 22)).to_yaml()
    wrong = text.replace("role: categorical\n    categories:\n    - 11\n    - 22", "role: linear")
    assert wrong != text
    with pytest.raises(DetectorError, match="'pdg' is categorical, its categories are PDG ids"):
        parse_detector(wrong)


@pytest.mark.parametrize(
    ("facts", "ids"),
    [
        ({"particle": "gamma", "pdg": 22}, (22,)),
        ({"particle": "e-,gamma", "pdg": None}, (11, 22)),
        ({"particles": ["gamma", "e-"]}, (11, 22)),
        ({"card": {"particles": [{"particle": "pi-"}]}}, (-211,)),
        ({"particle": None, "pdg": None}, ()),
        ({"particle": "whatever they call it"}, ()),
        ({}, ()),
    ],
)
def test_provenance_names_particles(facts, ids):
    assert recorded_particles(facts) == ids


def test_files_of_several_particles_get_the_condition(events, tmp_path):
    other = random_events(events.detector, 30, seed=9)
    joined = Events.concatenate([of(events, particle="gamma"), of(other, particle="e-")])
    assert joined.detector.particles == (11, 22)
    assert joined.conditions["pdg"].tolist() == [22] * len(events) + [11] * len(other)
    assert joined.particles == recorded_particles(joined.provenance) == (11, 22)
    write_events(joined, tmp_path / "both.h5")
    back = read_events(tmp_path / "both.h5", events.detector)
    assert back.particles == (11, 22)
    third = of(other, particle="mu-")
    assert Events.concatenate([back, third]).detector.particles == (11, 22, 13)
    again = Events.concatenate([back, back])
    assert again.detector is back.detector


def test_one_particle_or_none_named_stays_as_it_is(events):
    for facts in ({"particle": "gamma"}, {}):
        joined = Events.concatenate([of(events, **facts)] * 2)
        assert joined.detector == events.detector
        assert "pdg" not in joined.conditions.columns


@pytest.mark.parametrize("facts", [{}, {"particles": ["e-", "gamma"]}])
def test_unlabelled_mixtures_are_refused(events, facts):
    with pytest.raises(EventsError, match=r"b\.h5 .*unlabelled mixture.*convert --particle"):
        Events.concatenate([of(events, particle="pi-"), of(events, **facts)], ["a.h5", "b.h5"])


def test_one_sample_of_several_without_a_label_is_refused(events):
    with pytest.raises(EventsError, match="holds e-, gamma and does not say which"):
        Events.concatenate([of(events, particles=["e-", "gamma"])])


def test_naming_the_particle_of_events(events):
    assert events.named("e-").particles == (11,)
    with pytest.raises(EventsError, match="of gamma, not of e-"):
        of(events, particle="gamma").named("e-")
    with pytest.raises(EventsError, match="hold gamma, not only e-"):
        of(events, particle="gamma").labelled((11,))


def test_the_particle_that_is_named_holds_for_a_sample_that_was_joined_before(events):
    parts = [{"file": f"{n}.h5", "events": 1, "provenance": {"seed": n}} for n in (1, 2)]
    joined = of(events, joined=parts)
    assert joined.particles == ()
    assert joined.named("pi-").particles == (-211,)
    with pytest.raises(EventsError, match="of pi-, not of e-"):
        joined.named("pi-").named("e-")


def test_who_serves_which_particles():
    require_served([11], ["e-", "gamma"], "it")
    with pytest.raises(SimulatorError, match="trained on e-, gamma, not on pi-"):
        require_served([11, pdg_id("pi-")], ["gamma", "e-"], "it")
    with pytest.raises(SimulatorError, match="does not say which particles"):
        require_served([11], [], "it")
