"""Figures of single observables: what they show, and what they refuse."""

import json

import matplotlib as mpl
import numpy as np
import pytest

from simulacra.errors import SimulacraError
from simulacra.validation import Validation, validate
from tests.validation.samples import few


@pytest.fixture(scope="module")
def validation(small_validation):
    return small_validation


@pytest.mark.slow
@pytest.mark.parametrize("energy", ["16GeV", "16 GeV", "16000 MeV"])
def test_a_histogram_holds_the_events_of_its_energy(validation, energy):
    figure = validation.plot("response", energy=energy)
    main, ratio = figure.axes[1], figure.axes[0]
    assert main.get_legend().get_title().get_text() == "16 GeV"
    chosen = validation.compared.full.energies == 16_000
    mean = validation.compared.full.values["response"][chosen].mean()
    assert f"{mean:.4g}" in main.get_legend().get_texts()[0].get_text()
    assert ratio.get_ylabel() == "fast / full"


@pytest.mark.slow
def test_the_label_of_all_energies_is_a_histogram_of_all(validation):
    figure = validation.plot("depth", energy="all energies")
    text = figure.axes[1].get_legend().get_texts()[0].get_text()
    assert f"{validation.compared.full.values['depth'].mean():.4g}" in text


@pytest.mark.slow
def test_without_an_energy_every_energy_is_a_point(validation):
    for name in ("response", "depth"):
        figure = validation.plot(name)
        points = figure.axes[1].containers[0].lines[0].get_xydata()
        expected = [
            (group.energy / 1000, group.comparisons[name].reference.mean.value)
            for group in validation.energies
        ]
        np.testing.assert_allclose(points, expected)


def test_a_single_energy_is_drawn_as_a_histogram():
    reference, generated = (
        events.take(events.conditions["energy"] == events.conditions["energy"][0])
        for events in (few("test", 8), few("train", 8))
    )
    single = validate(reference, generated)
    assert len(single.energies) == 1
    assert len(single.plot("response").axes) == 2


@pytest.mark.slow
def test_a_loaded_result_draws_against_the_energy_only(validation, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(validation.to_json()))
    loaded = Validation.load(tmp_path / "metrics.json")
    assert len(loaded.plot("response").axes) == 4
    with pytest.raises(SimulacraError, match="needs events"):
        loaded.plot("response", energy="16GeV")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("respons",), "nearest is 'response'"),
        (("nothing",), "there are response, depth"),
        (("response", "17GeV"), "there are all energies, 1 GeV"),
        (("response", "hot"), "no energy 'hot'"),
    ],
)
def test_a_wrong_name_is_one_line_with_the_names(validation, arguments, words):
    with pytest.raises(SimulacraError) as raised:
        validation.plot(*arguments)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_drawing_leaves_settings_alone(validation):
    before = dict(mpl.rcParams)
    validation.plot("response", energy="16GeV")
    assert dict(mpl.rcParams) == before
