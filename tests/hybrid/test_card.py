"""Hybrid cards: what they refuse, in one line that says where."""

import pytest
import yaml

from simulacra.errors import CardError
from simulacra.hybrid import HybridCard
from tests.hybrid.conftest import card


def content(**changes):
    return yaml.safe_dump(card().model_dump(mode="json") | changes)


def refused(text, what):
    with pytest.raises(CardError, match=what) as caught:
        HybridCard.parse(text, "card.yaml")
    assert str(caught.value).startswith("card.yaml: ")
    assert "\n" not in str(caught.value)


def test_a_card_reads_back_from_its_own_words():
    assert HybridCard.parse(card().to_yaml(), "card.yaml") == card()


def test_a_plain_text_is_a_simulator_s_folder():
    assert card().simulators["photons"].folder == "atlas-barrel-photons"


RULE = {"particles": ["gamma"], "simulator": "photons"}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"rule": []}, "unknown key rule"),
        ({"events": 0}, "events"),
        ({"particles": []}, "particles"),
        ({"physics": "opt9"}, "unknown physics list 'opt9'"),
        ({"regions": {}}, "regions"),
        ({"regions": {"two words": {"detector": "atlas-barrel"}}}, "regions"),
        ({"regions": {"a": {"detector": "atlas-barrel", "readout": "cells"}}}, "readout"),
        ({"rules": [RULE | {"simulator": "foton"}]}, "no simulator 'foton'; there are full, photo"),
        ({"rules": [RULE | {"regions": ["cap"]}]}, "no region 'cap'; there are barrel"),
        ({"rules": [RULE | {"particles": ["gama"]}]}, "rules.0.particles: unknown particle"),
        ({"rules": [RULE | {"max_angle": "1 furlong"}]}, "rules.0.max_angle"),
        ({"simulators": {"full": "atlas-barrel-photons"}}, "choose another name"),
        ({"simulators": {"a": {"folder": "b", "particles": ["foton"]}}}, "unknown particle"),
    ],
)
def test_mistakes_are_one_line(changes, what):
    refused(content(**changes), what)


def test_a_window_needs_one_particle_per_event():
    two = [each.model_dump(mode="json") | {"count": 2} for each in card().particles]
    regions = {"barrel": {"detector": "atlas-barrel", "readout": "window"}}
    refused(content(particles=two, regions=regions), "one particle per event")


def test_overrides_may_switch_all_rules_off():
    assert HybridCard.parse(content(), "card.yaml", ["rules=[]", "events=3"]).rules == ()


def test_decays_are_simulated_where_a_particle_needs_them():
    pion = card().particles[0].model_dump(mode="json") | {"particle": "pi+"}
    assert not card().geant4.decays
    assert HybridCard.parse(content(particles=[pion]), "card.yaml").geant4.decays
