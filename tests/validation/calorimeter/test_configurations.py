"""Mean images of each alignment and particle: equal where nothing differs, swaps are found."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.energies import energy_groups
from simulacra.events import Events
from simulacra.validation import validate
from simulacra.validation.calorimeter.configurations import (
    configuration_scores,
    configurations,
    divisions,
    left_out,
)
from simulacra.validation.compared import Compared
from simulacra.validation.sample import measured
from simulacra.validation.thresholds import Thresholds, apply_thresholds
from tests.validation.samples import halves


@pytest.fixture(scope="module")
def pair():
    return halves()


def swapped(events, condition, one, other):
    """The events with two categories of a condition exchanged: showers stay where they are."""
    columns = dict(events.conditions.columns)
    values = columns[condition]
    columns[condition] = np.where(values == one, other, np.where(values == other, one, values))
    return Events(Conditions(columns), events.response, events.detector)


def scores(full, fast):
    full, fast = measured(full), measured(fast)
    groups = energy_groups(full.energies, fast.energies, scale="energy")
    return configuration_scores(Compared(groups, full, fast))


def test_every_combination_is_a_configuration(pair):
    parts = configurations(pair[0].detector)
    assert len(parts) == 8
    assert parts[1].label == "alignment eta 0, alignment phi 1"
    chosen = np.stack([part.select(pair[0].conditions) for part in parts])
    assert np.all(chosen.sum(axis=0) == 1)


def test_detectors_without_categories_have_none():
    detector = load_detector("par04-siw")
    assert configurations(detector) == ()
    assert divisions(detector) == ()
    assert left_out(detector, ()) == ()


def test_sums_that_would_take_too_much_memory_are_left_out_with_a_note(pair, monkeypatch):
    detector = pair[0].detector
    assert left_out(detector, energy_groups(pair[0]["energy"])) == ()
    monkeypatch.setattr("simulacra.validation.calorimeter.configurations.MOST_SUMS", 1000)
    (note,) = left_out(detector, energy_groups(pair[0]["energy"]))
    assert note.startswith("mean images of 8 configurations are not compared (")
    assert scores(*pair) == ()


def test_halves_of_full_simulation_agree(pair):
    found = scores(*pair)
    assert len(found) == 32
    assert np.mean([s.value for s in found]) == pytest.approx(1, abs=0.15)
    assert np.mean([s.baseline.estimate.value for s in found]) == pytest.approx(1, abs=0.1)
    assert max(s.excess for s in found) < 5


def test_a_swap_of_two_alignments_is_found_and_named(pair):
    found = scores(pair[0], swapped(pair[1], "alignment_phi", 1, 2))
    assert found[0].excess > 15
    assert found[0].features.endswith("strips")
    worst = {s.features.split(": ")[0][-1] for s in found[:4]}
    assert worst == {"1", "2"}


def test_another_mixture_of_energies_is_no_difference(pair):
    full, fast = pair
    rare = np.random.default_rng(1).random(len(fast)) < np.where(fast["energy"] < 8000, 1, 0.3)
    found = scores(full, fast[rare])
    assert max(s.excess for s in found) < 5


@pytest.mark.slow
def test_a_validation_shows_the_worst_image_and_can_limit_it(pair):
    result = validate(pair[0], swapped(pair[1], "alignment_phi", 1, 2))
    assert "worst mean image" in repr(result)
    assert "Worst mean image: alignment eta" in result.table()
    limits = Thresholds(configuration_errors=6)
    assert apply_thresholds(result, limits).thresholds.failures
    assert not apply_thresholds(validate(*pair), limits).thresholds.failures
    assert {g.label for g in result.divisions["alignment"]} >= {"alignment eta 1, alignment phi 3"}
