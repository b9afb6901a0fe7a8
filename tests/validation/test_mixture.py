import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.validation import measured, require_comparable, validate
from simulacra.validation.mixture import compare_mixtures

from .samples import halves


def of(events, *particles, **facts):
    """Events of particles in turn, or with what their provenance says alone."""
    if not particles:
        return Events(events.conditions, events.response, events.detector, facts)
    pdg = np.resize(np.array(particles, np.int32), len(events))
    detector = events.detector.with_particles(sorted(set(particles)))
    conditions = Conditions({**events.conditions.columns, "pdg": pdg})
    return Events(conditions, events.response, detector, facts)


@pytest.fixture(scope="module")
def pair():
    return tuple(part.take(slice(200)) for part in halves())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"particle": "gamma"}, {"particle": "gamma"}),
        ({"particle": "gamma"}, {"particles": ["gamma"]}),
        ({"particle": "gamma"}, (22,)),
        ((11, 22), (22, 11)),
        ({"card": {"particles": [{"particle": "gamma"}]}}, {"particle": "gamma"}),
        ({}, {}),
    ],
)
def test_samples_of_the_same_particles_are_compared_without_a_word(pair, ours, theirs):
    first, second = made(pair, ours, theirs)
    require_comparable(first, second)
    assert compare_mixtures(measured(first), measured(second), "generated") == []


def made(pair, ours, theirs):
    return tuple(
        of(events, **what) if isinstance(what, dict) else of(events, *what)
        for events, what in zip(pair, (ours, theirs), strict=True)
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ({"particle": "gamma"}, {"particle": "e-"}, "holds gamma, the generated sample e-"),
        ({"particle": "gamma"}, (11,), "holds gamma, the generated sample e-"),
        ((11, 22), (22,), "holds e-, gamma, the generated sample gamma"),
        ((22,), (11, 22), "holds gamma, the generated sample e-, gamma"),
    ],
)
def test_other_particles_are_refused(pair, ours, theirs, words):
    first, second = made(pair, ours, theirs)
    with pytest.raises(EventsError, match=words):
        validate(first, second)


def test_other_shares_and_unnamed_particles_are_noted(pair):
    first, second = made(pair, (11, 22), (11, 22, 22, 22))
    electrons, photons = compare_mixtures(measured(first), measured(second), "generated")
    assert electrons.startswith("e-: 50% of the reference, 25% of the generated sample")
    assert photons.startswith("gamma: 50% of the reference, 75% of the generated sample")
    first, second = made(pair, {"particle": "gamma"}, {})
    (note,) = compare_mixtures(measured(first), measured(second), "generated")
    assert note == "the generated sample does not name its particle, the other one gamma"


def test_a_floor_of_other_particles_is_refused(pair):
    first, second = made(pair, {"particle": "gamma"}, {"particle": "gamma"})
    with pytest.raises(EventsError, match="holds gamma, the baseline sample e-"):
        validate(first, second, baseline=of(pair[1], particle="e-"))


def test_a_rare_particle_that_chance_left_out_is_not_refused(pair):
    rare = of(pair[0], *([11] * 199), 22)
    assert compare_mixtures(measured(rare), measured(of(pair[1], 11)), "generated") == []
