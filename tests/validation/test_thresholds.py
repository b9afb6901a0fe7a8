from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulacra.datasets.samples import load_sample
from simulacra.errors import SimulacraError
from simulacra.validation import Thresholds, apply_thresholds, validate
from simulacra.validation.classifiers import whole_samples

from .samples import few, halves, with_showers

EXAMPLE = Path(__file__).parents[2] / "examples/thresholds.yaml"


@pytest.fixture(scope="module")
def results():
    """A perfect comparison, and one whose response is 5 % high at 16 GeV, with negative cells."""
    reference, generated = halves()
    showers = generated["showers"].copy()
    showers[generated.conditions["energy"] == 16e3] *= 1.05
    showers[0, :3] = -1
    return validate(reference, reference), validate(reference, with_showers(generated, showers))


def failures(validation, **limits):
    return apply_thresholds(validation, Thresholds.model_validate(limits)).thresholds.failures


def test_the_example_holds_for_geant4_against_itself(results):
    outcome = apply_thresholds(results[0], Thresholds.load(EXAMPLE)).thresholds
    assert outcome.failures == ()
    assert outcome.checked > 30


def test_the_example_finds_what_is_wrong(results):
    found = apply_thresholds(results[1], Thresholds.load(EXAMPLE)).thresholds.failures
    assert "negative energies is 3, above 0" in found
    assert any(text.startswith("16 GeV: response: |mean ratio - 1| is 0.0") for text in found)
    assert not any("8 GeV: response" in text for text in found)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"separation": 0.01}, "separation power is"),
        ({"over_baseline": 2}, "separation over baseline"),
        ({"verdict": "close"}, "the verdict is 'differs', worse than 'close'"),
        ({"mean_ratio": 0.01, "sigmas": 2}, "by more than 2 standard errors"),
        ({"mean_shift": 0.5}, "mean shift over width"),
    ],
)
def test_every_limit_finds_the_shift_where_it_is(results, rule, words):
    rule = {"observables": ["response"], "energies": ["16 GeV"]} | rule
    assert failures(results[0], rules=[rule]) == ()
    (failure,) = failures(results[1], rules=[rule])
    assert failure.startswith("16 GeV: response: ")
    assert words in failure


def test_limits_are_sharp(results):
    score = results[1].pooled.comparisons["depth"].metrics["separation"].value
    rule = {"observables": ["depth"], "energies": ["all energies"]}
    assert failures(results[1], rules=[rule | {"separation": score}]) == ()
    below = np.nextafter(score, 0)
    assert len(failures(results[1], rules=[rule | {"separation": below}])) == 1


def test_groups_and_wildcards_name_observables(results):
    def checked(*patterns):
        rule = {"observables": patterns, "energies": ["16 GeV"], "separation": 1}
        return apply_thresholds(results[0], Thresholds(rules=[rule])).thresholds.checked

    assert checked("fraction") == checked("fraction.*") == 4
    assert checked("*.strips", "fraction") == checked("*.strips") + 3
    assert checked("*") == len(results[0].observables)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"impact_chi2": 0.0}, "against impact_eta: chi2/ndf"),
        ({"correlation_rms": 0.0}, "rms difference"),
        ({"resolution_pull": 0.0}, "|pull| of a"),
        ({"most_differing": 0.0}, "share of comparisons that differ"),
    ],
)
def test_limits_of_the_whole_sample(results, limits, words):
    assert failures(results[0], **limits) == ()
    assert any(words in text for text in failures(results[1], **limits))


def test_what_is_undefined_fails(results):
    rule = {"observables": ["response"], "width_ratio": 0.5}
    one = halves()[0].take(slice(0, 1))
    assert any("undefined" in text for text in failures(validate(one, one), rules=[rule]))


def test_an_observable_that_no_generated_event_has_fails():
    reference, generated = few("train", 12), few("selection", 12)
    showers = generated["showers"].copy()
    at_16 = generated.conditions["energy"] == 16e3
    showers[np.ix_(at_16, [0])] = np.nan  # a cell of the first layer
    validation = validate(reference, with_showers(generated, showers))
    (group,) = (g for g in validation.energies if g.label == "16 GeV")
    assert "depth" in group.undefined
    rule = {"observables": ["depth", "layer_energy.back"], "energies": ["*GeV"], "separation": 1}
    found = failures(validation, rules=[rule])
    assert found == ("16 GeV: depth: it is undefined for every generated event",)
    assert failures(validation, rules=[rule | {"observables": ["depth"], "energies": ["16 GeV"]}])


def test_what_neither_sample_has_is_not_asked_for():
    tracks = load_sample("test", "alice-tpc").take(slice(0, 40))
    none = {name: np.zeros_like(array) for name, array in tracks.response.items()}
    empty = replace(tracks, response=none)  # no clusters: no distances to anything
    rules = [{"observables": ["rmse_true", "clusters"], "separation": 1}]
    both, one = validate(empty, empty), validate(tracks, empty)
    assert failures(both, rules=rules) == ()
    assert "all momenta: rmse_true: it is undefined for every generated event" in failures(
        one, rules=rules
    )


@pytest.mark.parametrize(
    "limit", ["resolution_pull", "impact_chi2", "correlation_rms", "profile_chi2", "missing_cells"]
)
def test_a_limit_on_what_could_not_be_computed_fails(limit):
    one = few("test", 12).take(slice(0, 1))
    validation = replace(validate(one, one), cells=None)
    (failure,) = failures(validation, **{limit: 1.0})
    assert "is undefined, above 1" in failure
    assert failures(validation) == ()


def test_a_rule_that_matches_nothing_is_an_error(results):
    rule = {"observables": ["respons"], "separation": 1}
    with pytest.raises(SimulacraError, match=r"rules\.0: nothing matches observables respons"):
        apply_thresholds(results[0], Thresholds(rules=[rule]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("negatve: 0", "unknown key negatve; did you mean negative?"),
        ("rules: [{observables: [depth]}]", "needs a limit"),
        ("rules: [{separation: -1}]", "must be at least 0"),
        ("rules: [{separation: 0.1, verdict: fine}]", "verdict"),
        ("rules: [", "not valid YAML"),
    ],
)
def test_mistakes_in_the_file_are_one_line(tmp_path, text, words):
    path = tmp_path / "thresholds.yaml"
    path.write_text(text)
    with pytest.raises(SimulacraError, match=words) as caught:
        Thresholds.load(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SimulacraError, match="no thresholds file"):
        Thresholds.load(tmp_path / "none.yaml")


def test_limits_on_classifiers(results, monkeypatch):
    monkeypatch.setattr(whole_samples, "SAMPLE_METRICS", ())
    reference, generated = (
        events.take(np.isin(events.conditions["energy"], (1e3, 8e3)))
        for events in (few("train", 120), few("selection", 120))
    )
    wrong = with_showers(generated, generated["showers"][::-1])  # of other energies
    equal, different = (
        validate(reference, events, profile="quick") for events in (generated, wrong)
    )
    limits = {"auc": 0.5, "auc_at_energy": 0.5, "auc_sigmas": 5}
    assert failures(equal, **limits) == ()
    found = failures(different, **limits)
    assert any(text.startswith("AUC, cells, trees is") for text in found)
    assert any(text.startswith("1 GeV: AUC, cells, trees is") for text in found)
    with pytest.raises(SimulacraError, match="needs classifiers"):
        failures(results[0], auc=0.6)
