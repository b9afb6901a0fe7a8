"""Several simulators against one reference: the same numbers as alone, one table, one picture."""

import json

import numpy as np
import pytest

from simulacra.errors import EventsError, SimulacraError
from simulacra.validation import measured, validate, validate_side_by_side
from simulacra.validation.report.overlay_html import folder_names
from tests.conftest import random_events
from tests.validation.samples import few, with_showers


@pytest.fixture(scope="module")
def samples():
    full, good = (
        events.take(np.isin(events["energy"], [1000, 16_000]))
        for events in (few("train", 30), few("selection", 30))
    )
    low = with_showers(good, (0.9 * good["showers"]).astype(np.float32))
    return full, {"good": good, "10 % low": low}


@pytest.fixture(scope="module")
def together(samples):
    full, fast = samples
    return validate_side_by_side(full, fast)


def test_each_result_is_that_of_the_simulator_alone(samples, together):
    full, fast = samples
    alone = validate(full, fast["10 % low"])
    assert together["10 % low"].pooled.comparisons == alone.pooled.comparisons
    assert together["10 % low"].verdicts == alone.verdicts


def test_the_reference_is_measured_once(together):
    assert together["good"].compared.full.source is together["10 % low"].compared.full.source


def test_the_table_has_a_line_for_each(together):
    lines = together.table().splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("good")
    assert max(map(len, lines)) <= 100
    assert repr(together) == together.table()


def test_the_picture_has_a_line_for_each_simulator(together):
    figure = together.plot("response", energy="16GeV")
    main = figure.axes[1] if figure.axes[0].get_legend() is None else figure.axes[0]
    texts = [text.get_text() for text in main.get_legend().get_texts()]
    assert texts == ["full simulation", "good", "10 % low"]
    with pytest.raises(SimulacraError, match="nearest is 'response'"):
        together.plot("respons")
    with pytest.raises(SimulacraError, match="no energy '3GeV'"):
        together.plot("response", energy="3GeV")


@pytest.mark.slow
def test_the_report_links_each_report(together, tmp_path, monkeypatch, without_plots):
    monkeypatch.setattr("simulacra.validation.report.overlay_html.MOST_OBSERVABLES", 3)
    page = together.report(tmp_path / "report")
    text = page.read_text()
    for folder in ("good", "10-low"):
        assert f'href="{folder}/index.html"' in text
        assert json.loads((page.parent / folder / "metrics.json").read_text())["schema_version"]
    assert text.count("<img") == 3


def test_samples_that_do_not_fit_are_refused_before_the_work(samples, barrel):
    full, fast = samples
    with pytest.raises(SimulacraError, match="0 samples"):
        validate_side_by_side(full, {})
    with pytest.raises(EventsError):
        validate_side_by_side(full, fast | {"none": random_events(barrel, 5).take(slice(0))})
    with pytest.raises(SimulacraError, match="different names"):
        folder_names(("a b", "a-b"))


def test_a_measured_sample_is_taken_as_it_is(samples):
    full = samples[0]
    assert measured(measured(full)).source is full
