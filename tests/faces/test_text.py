"""Every object shows itself in twelve lines that fit a screen."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.conditions import Conditions
from simulacra.datasets.samples import SPLITS, load_sample
from simulacra.datasets.shipped import shipped_simulators
from simulacra.detectors import builtin_detectors, load_detector
from simulacra.errors import printable
from simulacra.events import Events
from simulacra.faces.text import MOST_LINES, WIDTH, Described, short_rows
from simulacra.fullsim import Geant4Settings, Geant4Simulator
from simulacra.simulators.load import load_simulator
from tests.benchmark.test_benchmark import result
from tests.conftest import random_events


class Rows(HTMLParser):
    """What an HTML table says, row by row; every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


def shown(thing):
    """The text of an object, and its table says the same."""
    text = repr(thing)
    lines = text.splitlines()
    assert lines[0] == f"<{type(thing).__name__}>"
    assert str(thing) == text
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDTH
    assert "".join(lines).isprintable()
    rows = Rows(thing._repr_html_()).rows
    assert [[word.split() for word in row] for row in rows] == [
        [name.split(), value.split()] for name, value in short_rows(thing.describe())
    ]
    return text


@pytest.mark.parametrize("name", builtin_detectors())
def test_detectors(name):
    text = shown(load_detector(name))
    assert name in text
    for array in load_detector(name).response_arrays:
        assert array in text


@pytest.mark.parametrize("name", SPLITS)
def test_samples(name):
    events = load_sample("test", name)
    text = shown(events)
    assert re.search(rf"events +{len(events)}\n", text)
    assert all(condition in text for condition in events.conditions if condition != "pdg")
    assert f"rows {len(events)}" in re.sub(" +", " ", shown(events.conditions))


@pytest.mark.parametrize("name", shipped_simulators())
def test_simulators(name):
    simulator = load_simulator(name)
    text = shown(simulator)
    assert simulator.detector.name in text
    assert simulator.card.model_kind in text


def test_geant4(barrel):
    text = shown(Geant4Simulator(barrel, Geant4Settings(particle="gamma", cut="1mm")))
    assert all(word in text for word in ("opt0", "gamma", "atlas-barrel", "1 mm"))


def test_a_benchmark():
    text = shown(result())
    assert "0.5 ms/event in batches of 100; separation 0.02, baseline 0.01" in text
    assert "20 ms at 1 GeV, 200 ms at 10 GeV" in text


def test_what_is_broken_or_missing_is_shown_too(barrel):
    events = random_events(barrel, 5)
    columns = {**events.conditions, "energy": np.full(5, np.nan), "pdg": np.full(5, np.inf)}
    shown(Events(Conditions(columns), events.response, barrel))
    assert "no events" in shown(events[:0])
    assert "not named" in shown(events)


def test_rows_of_few_numbers_are_quick_and_right():
    """A column that begins with few different values is looked at as a whole."""
    column = np.concatenate([np.zeros(2000), np.arange(100.0)])
    assert "x 0 to 99" in re.sub(" +", " ", shown(Conditions({"x": column})))
    assert "x 0, 1" in re.sub(" +", " ", shown(Conditions({"x": np.arange(5000) % 2.0})))


class Anything(Described):
    def __init__(self, facts):
        self.facts = facts

    def describe(self):
        return self.facts


words = st.text("aé<& \n\x1b", max_size=120)
facts = st.dictionaries(
    st.text("abc é<&", min_size=1, max_size=20),
    st.one_of(
        words,
        st.none(),
        st.floats(),
        st.lists(words, max_size=15),
        st.dictionaries(words, words, max_size=15),
    ),
    max_size=15,
)


@settings(deadline=None, max_examples=50)
@given(facts)
def test_whatever_the_facts(found):
    thing = Anything(found)
    lines = repr(thing).split("\n")
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDTH
    assert "".join(lines).isprintable()
    assert len(Rows(thing._repr_html_()).rows) < MOST_LINES
    kept = [printable(name) for name, value in found.items() if value not in (None, "", [], {})]
    if len(kept) < MOST_LINES:
        assert [name for name, _ in short_rows(found) if name] == [name for name in kept if name]
