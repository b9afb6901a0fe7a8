"""What full simulation of the tungsten-silicon cylinder gave, against what such showers are.

``benchmarks/systems/summary.py`` wrote the values from a sample of electrons of 1 to 100 GeV.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from simulacra.detectors import load_detector

STORED = Path(__file__).parents[2] / "benchmarks/systems/results/par04-siw/summary.json"
RADIATION_LENGTHS = 2 * (1.4 / 3.504 + 0.3 / 93.7)
"""Of a layer: two plates of tungsten and two of silicon (PDG)."""
CRITICAL_ENERGY = 7.97
"""Of electrons in tungsten, MeV (PDG)."""


@pytest.fixture(scope="module")
def bins():
    return json.loads(STORED.read_text())["bins"]


def test_the_sampling_fraction_is_that_of_calochallenge(bins):
    """Silicon holds 3.3 % of the energy there; energies are already divided by that."""
    for each in bins:
        mean, _ = each["response"]
        assert 0.9 < mean < 1.05, each["energy"]


def test_the_resolution_is_that_of_a_sampling_calorimeter(bins):
    """A stochastic term, 10 to 15 % / sqrt(E): the product with sqrt(E) is the same everywhere."""
    terms = [
        each["response"][1] / each["response"][0] * math.sqrt(each["mean_energy"] / 1000)
        for each in bins
    ]
    assert min(terms) > 0.1
    assert max(terms) < min(0.15, 1.3 * min(terms))


def test_showers_are_contained(bins):
    for each in bins:
        assert sum(each["layers"][-3:]) < 0.01
        assert each["rings"][-1] < 0.01
        assert np.all(np.diff(each["rings"]) < 0)


def test_the_longitudinal_profile_peaks_where_it_should(bins):
    """At ln(E / Ec) - 0.5 radiation lengths for electrons, a little less deep when inclined."""
    maxima = []
    for each in bins:
        smooth = np.convolve(each["layers"], np.ones(3) / 3, mode="same")
        maxima.append((smooth.argmax() + 0.5) * RADIATION_LENGTHS)
        expected = math.log(each["mean_energy"] / CRITICAL_ENERGY) - 0.5
        assert maxima[-1] == pytest.approx(expected, abs=1.2), each["energy"]
    assert np.all(np.diff(maxima) > 0)


def test_what_calochallenge_cuts_away_is_little(bins):
    for each in bins:
        assert each["above_threshold"] > 0.99
        assert 10 < each["cells_above_threshold"] < load_detector("par04-siw").n_cells / 2


def test_fractions_are_complete(bins):
    for each in bins:
        assert sum(each["layers"]) == pytest.approx(1)
        assert sum(each["rings"]) == pytest.approx(1)
        assert each["events"] > 50
