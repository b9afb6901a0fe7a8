"""Which rule decides for a particle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulacra.hybrid.rules import SMALL_ANGLE, Rule, first_match, lowest_energies
from tests.hybrid.conftest import entries


def rule(simulator="photons", particles=("gamma",), **options):
    return Rule(particles=particles, simulator=simulator, **options)


def decides(rules, region="barrel", **particle):
    return first_match(rules, region, entries(**particle)).tolist()


def test_the_first_rule_that_matches_wins():
    narrow, wide = rule(energy=("2 GeV", "4 GeV")), rule("others", energy=("1 GeV", "9 GeV"))
    energies = [500.0, 1000.0, 2000.0, 4000.0, 5000.0, 9000.0, 9001.0]
    assert decides([narrow, wide], energy=energies) == [-1, 1, 0, 0, 1, 1, -1]
    assert decides([wide, narrow], energy=energies) == [-1, 0, 0, 0, 0, 0, -1]


def test_a_full_rule_keeps_what_a_later_one_would_hand_over():
    rules = [rule("full", containment="50 mm", max_angle="1 deg"), rule()]
    assert decides(rules, margin=[40.0, 60.0]) == [1, 0]


def test_particles_are_told_by_name_or_id():
    rules = [rule(particles=("e-", "e+")), rule(particles=("22",))]
    assert decides(rules, pdg=[11, -11, 22, 13]) == [0, 0, 1, -1]


def test_without_a_limit_simulators_get_only_what_comes_straight():
    angles = [0.0, SMALL_ANGLE, 1.01 * SMALL_ANGLE, 1.5]
    assert decides([rule()], angle=angles) == [0, 0, -1, -1]
    assert decides([rule(max_angle="100 mrad")], angle=angles) == [0, 0, 0, -1]
    assert decides([rule("full")], angle=angles) == [0, 0, 0, 0]


def test_regions_and_containment():
    rules = [rule(regions=("endcap",)), rule(containment="2 cm")]
    assert decides(rules, "endcap", margin=[1.0, 30.0]) == [0, 0]
    assert decides(rules, "barrel", margin=[1.0, 20.0, 30.0]) == [-1, 1, 1]


def test_what_no_simulator_is_asked_for_needs_no_look():
    rules = [rule("full"), rule(energy=("2 GeV", "4 GeV")), rule(energy=("1 GeV", "2 GeV"))]
    assert lowest_energies(rules) == {22: 1000.0}
    assert lowest_energies([*rules, rule(particles=("e-",))]) == {22: 1000.0, 11: 0.0}


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"particles": ("gama",)}, "unknown particle 'gama'"),
        ({"particles": ()}, "particles"),
        ({"energy": ("4 GeV", "1 GeV")}, "lower to the higher"),
        ({"max_angle": "-1 mrad"}, "max_angle"),
        ({"energy": ("1 GeV", "4 furlong")}, "not a energy"),
        ({"maximum_angle": 1.0}, "maximum_angle"),
    ],
)
def test_mistakes_are_named(options, what):
    with pytest.raises(ValidationError, match=what):
        rule(**options)


LIMITS = st.tuples(st.floats(0, 10), st.floats(0, 10)).map(sorted).map(tuple)
RULES = st.lists(
    st.builds(
        Rule,
        particles=st.sampled_from([("gamma",), ("e-", "e+"), ("gamma", "mu-")]),
        energy=st.none() | LIMITS,
        regions=st.sampled_from([(), ("a",), ("b", "a")]),
        max_angle=st.none() | st.floats(0, 1),
        containment=st.floats(0, 10),
        simulator=st.sampled_from(["full", "one", "two"]),
    ),
    max_size=4,
)
PARTICLES = st.lists(
    st.tuples(
        st.sampled_from([22, 11, -11, 13]), st.floats(0, 10), st.floats(0, 1), st.floats(-1, 10)
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=50)
@given(RULES, PARTICLES, st.sampled_from(["a", "b"]))
def test_many_particles_at_once_are_as_one_by_one(rules, particles, region):
    pdg, energy, angle, margin = map(list, zip(*particles, strict=True))
    together = decides(rules, region, pdg=pdg, energy=energy, angle=angle, margin=margin)
    for row, number in enumerate(together):
        one = entries(pdg[row], energy[row], angle=angle[row], margin=margin[row])
        matching = [i for i, each in enumerate(rules) if each.matches(region, one)[0]]
        assert number == next(iter(matching), -1)


def test_a_rule_reads_back_from_its_own_words():
    every = rule(energy=("1 GeV", "65 GeV"), max_angle="1 deg", containment="3 cm", regions=("a",))
    assert Rule.model_validate(every.model_dump(mode="json")) == every
    assert every.energy == (1000.0, 65000.0)
    assert every.max_angle == pytest.approx(np.deg2rad(1))
