"""What a result shows of itself, and that a file of it is the result without its events."""

import dataclasses
import json

import numpy as np
import pytest

from simulacra.errors import SimulacraError
from simulacra.validation import Thresholds, Validation, apply_thresholds, validate
from simulacra.validation.result import GroupResult
from tests.calochallenge import showers_like
from tests.tracks import tracks


@pytest.fixture(scope="module")
def loaded(small_validation, tmp_path_factory):
    file = tmp_path_factory.mktemp("loaded") / "metrics.json"
    file.write_text(json.dumps(small_validation.to_json()))
    return Validation.load(file)


def screen(text):
    """Whether a text fits a screen."""
    lines = text.splitlines()
    return len(lines) <= 40 and max(map(len, lines)) <= 100


def test_a_loaded_result_has_all_numbers(small_validation, loaded):
    validation = small_validation
    assert loaded.to_json() == validation.to_json()
    assert loaded.table() == validation.table()
    assert loaded.compared is None
    assert isinstance(loaded.correlations, type(validation.correlations))
    first, second = (v.impact_profiles[0].reference for v in (loaded, validation))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "result",
    [
        lambda: validate(tracks(60, points=(1000.0, 4000.0)), tracks(60, points=(1000.0, 4000.0))),
        lambda: validate(*[showers_like("1-photons", 60)] * 2, legacy="1-photons"),
    ],
    ids=["tracks", "official scores"],
)
def test_results_of_every_kind_are_read_back(result, tmp_path):
    validation = apply_thresholds(result(), Thresholds(non_finite=0))
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps(validation.to_json()))
    assert Validation.load(file).to_json() == validation.to_json()
    assert screen(validation.table())
    assert "0 of 1 checks fail" in repr(validation)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(schema_version=2), "schema version 2, this release reads versions 3"),
        (lambda c: c.update(schema_version=6), "schema version 6, this release reads versions 3"),
        (lambda c: c.update(schema_version=3, pooled={}), "is damaged: comparisons is missing"),
        (lambda c: c.pop("schema_version"), "states no schema_version"),
        (lambda c: c.pop("pooled"), "metrics.pooled is missing"),
        (lambda c: c.update(seed="0"), "metrics.seed is '0'"),
        (lambda c: c.update(limits=[1.0]), "is damaged"),
        (lambda c: c["energies"][0].update(comparisons=3), "is damaged"),
        (lambda c: c.update(summary="mode"), "metrics.summary is 'mode'"),
    ],
)
def test_a_wrong_file_is_one_line(small_validation, tmp_path, change, words):
    content = small_validation.to_json()
    change(content)
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps(content))
    with pytest.raises(SimulacraError) as raised:
        Validation.load(file)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_file_and_no_json_are_one_line(tmp_path):
    with pytest.raises(SimulacraError, match="give the metrics.json"):
        Validation.load(tmp_path)
    (tmp_path / "page.json").write_text("<html>")
    with pytest.raises(SimulacraError, match="is not JSON"):
        Validation.load(tmp_path / "page.json")


def test_the_table_has_the_primary_observable_at_each_energy(small_validation):
    validation = small_validation
    table = validation.table()
    assert screen(table)
    lines = table.splitlines()
    for group in validation.groups:
        (line,) = (line for line in lines if line.startswith(f"{group.label}  "))
        primary = group.comparisons["response"]
        assert str(primary.metrics["mean_ratio"]) in line
        assert line.split()[-4:] == [str(n) for n in group.verdicts.values()]
        assert primary.verdict in line


def test_a_table_of_many_energies_fits_a_screen(small_validation):
    validation = small_validation
    many = tuple(
        dataclasses.replace(validation.energies[0], label=f"{i} GeV") for i in range(1, 101)
    )
    table = dataclasses.replace(validation, energies=many).table()
    assert screen(table)
    assert "… " in table
    assert "100 GeV" in table


def test_objects_are_short_in_a_session(small_validation, loaded):
    validation = small_validation
    text = repr(validation)
    assert len(text.splitlines()) <= 12
    assert screen(text)
    assert validation._repr_html_().count("<tr>") <= 11
    assert ".report(" in text
    assert ".report(" not in repr(loaded)
    group = validation.energies[0]
    for item in (group, group.comparisons["response"], validation.compared.full):
        assert len(repr(item)) < 150
        assert "\n" not in repr(item)


def test_names_from_files_are_escaped(small_validation):
    odd = dataclasses.replace(small_validation, detector="<b>", notes=("a < b",))
    assert "<b>" not in odd._repr_html_()
    assert "a &lt; b" in odd._repr_html_()


def test_a_report_needs_events(loaded, tmp_path):
    with pytest.raises(SimulacraError, match="validate again"):
        loaded.report(tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_verdicts_of_a_group_are_counted():
    assert GroupResult("1 GeV", 1e3, 5, 5, {}).verdicts == {
        "agrees": 0,
        "close": 0,
        "slight": 0,
        "differs": 0,
    }
