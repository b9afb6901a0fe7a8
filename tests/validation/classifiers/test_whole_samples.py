"""Whole samples: from events to rows of the report."""

import json

import numpy as np
import pytest

from simulacra.datasets.samples import load_sample
from simulacra.validation import sample_rows, validate
from simulacra.validation.classifiers.classifier_test import CLASSIFIERS
from simulacra.validation.metrics.catalogue import SAMPLE_METRICS, SampleMetric
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.sample_scores import Tables, scores_of
from simulacra.validation.report import catalogue as plots
from simulacra.validation.sample_result import energy_rows
from tests.validation.samples import few, halves, with_showers

CLASSIFIED = ("cells", "normalised", "high-level")


@pytest.fixture(scope="module")
def pair():
    return tuple(events.take(slice(0, 500)) for events in halves())


@pytest.fixture(scope="module")
def quick(pair):
    return validate(*pair, profile="quick")


@pytest.mark.slow
def test_every_metric_and_classifier_has_a_score_and_a_baseline(quick):
    samples = quick.samples
    assert [(a.features, a.classifier) for a in samples.classifier_tests] == [
        (features, classifier) for features in CLASSIFIED for classifier in CLASSIFIERS
    ]
    assert [s.name for s in samples.scores] == [n for m in SAMPLE_METRICS for n in m.names]
    baselines = [a.baseline_auc for a in samples.classifier_tests] + [
        s.baseline for s in samples.scores
    ]
    assert {baseline.kind for baseline in baselines} == {"halves", "bootstrap"}
    for score in samples.scores:
        assert np.isfinite([score.value, score.baseline.value]).all()
    for auc, jsd in (a.scores for a in samples.classifier_tests):
        assert (auc.name, jsd.name) == ("auc", "jsd")
        assert np.isfinite([auc.value, auc.error, auc.baseline.value, jsd.value]).all()
        assert auc.n == jsd.n
        assert min(auc.n) > 0
    assert all(a.worst in a.energies for a in samples.classifier_tests)
    for features, classifier in samples.worse.items():
        aucs = {
            a.classifier: a.auc.value for a in samples.classifier_tests if a.features == features
        }
        assert aucs[classifier] == max(aucs.values())


@pytest.mark.slow
def test_everything_stands_at_each_energy_beside_its_baseline(pair, quick):
    samples = quick.samples
    many = {g.label for g in quick.energies if min(g.n_reference, g.n_generated) >= 50}
    assert many
    assert set(samples.energies) == many
    for scores in samples.energies.values():
        assert [s.name for s in scores] == [s.name for s in samples.scores]
        assert all(np.isfinite(s.baseline.estimate.value) for s in scores)
        assert all(max(s.n) < len(pair[0]) for s in scores)
    rows = dict(energy_rows(samples))
    for test in samples.classifier_tests:
        assert set(test.baseline_energies) <= {g.label for g in quick.energies}
    for features in CLASSIFIED:
        for label, text in rows[f"AUC, {features}"].items():
            worst = max(
                (a.energies[label] for a in samples.classifier_tests if a.features == features),
                key=lambda auc: auc.value,
            )
            assert text.startswith(f"{worst} / ")
    assert set(rows["FPD"]) == many


@pytest.mark.slow
def test_a_collapse_at_one_energy_shows_at_that_energy():
    energies = (2e3, 4e3, 8e3)
    reference, generated = (
        events.take(np.isin(events.conditions["energy"], energies))
        for events in (few("train", 130), few("selection", 130))
    )
    showers = generated["showers"].copy()
    here = np.flatnonzero(generated.conditions["energy"] == 4e3)
    showers[here] = showers[here[0]]
    samples = validate(reference, with_showers(generated, showers), profile="quick").samples
    for label, scores in samples.energies.items():
        recall = next(s for s in scores if s.name == "recall_cells")
        collapsed = recall.score.value < 0.3 * recall.baseline.estimate.value
        assert collapsed == (label == "4 GeV")


@pytest.mark.slow
def test_equal_samples_are_near_their_baseline(quick):
    for test in quick.samples.classifier_tests:
        assert abs(test.auc.value - 0.5) < 4 * test.auc.error
    for score in quick.samples.scores:
        baseline = score.baseline.estimate
        assert abs(score.score.value - baseline.value) < 6 * np.hypot(
            score.score.error, baseline.error
        )


@pytest.mark.slow
def test_small_samples_are_said(quick):
    assert any(note.startswith("FPD: 500 events") for note in quick.notes)
    assert any(note.startswith("KPD: batches of 500") for note in quick.notes)


@pytest.mark.slow
def test_the_seed_decides_and_the_profile_changes_nothing_else(pair, quick):
    again, none = validate(*pair, profile="quick"), validate(*pair)
    assert again.to_json() == quick.to_json()
    assert none.samples is None
    assert none.pooled == quick.pooled


@pytest.mark.slow
def test_the_report_has_a_table_of_them(pair, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "PLOTS", ())
    monkeypatch.setattr(plots, "PLOTS_OF_KIND", {})
    path = quick.report(tmp_path / "report")
    html = path.read_text(encoding="utf-8")
    assert "Classifier test and sample metrics" in html
    assert all(row.name in html for row in sample_rows(quick.samples))
    content = json.loads(path.with_name("metrics.json").read_text())
    assert content["schema_version"] == 5
    assert content["samples"]["classifier_tests"][0]["auc"]["value"] is not None
    assert sum(row.counts for row in sample_rows(quick.samples)) == len(CLASSIFIED)


@pytest.mark.slow
def test_broken_and_foreign_events_are_left_out_and_said():
    reference, generated = few("test", 6), few("train", 6)
    showers = generated["showers"].copy()
    showers[:3, 5] = np.nan
    result = validate(reference, with_showers(generated, showers), profile="quick")
    assert any(n.startswith("reference sample: 6 events") for n in result.notes)  # 25 GeV
    assert any(n.startswith("generated sample: 3 events") for n in result.notes)
    assert "too few events for classifiers" in result.notes
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize("per_energy", [1, 2])
def test_tiny_samples(per_energy):
    result = validate(few("train", per_energy), few("test", per_energy), profile="quick")
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.slow
def test_an_independent_sample_is_the_floor_of_everything(pair):
    result = validate(*pair, baseline=load_sample("selection").take(slice(600)), profile="quick")
    baselines = [a.baseline_auc for a in result.samples.classifier_tests]
    baselines += [s.baseline for s in result.samples.scores]
    assert {baseline.kind for baseline in baselines} == {"sample"}


def test_a_small_independent_sample_is_no_floor_of_what_scatters_with_the_size():
    rng = np.random.default_rng(0)
    metric = next(m for m in SAMPLE_METRICS if m.names == ("fpd",))
    reference, generated, few = (rng.normal(size=(n, 3)) for n in (600, 600, 100))
    alone, checked = (
        scores_of(metric, Tables(reference, generated, extra), None, np.random.default_rng(1))[0]
        for extra in (None, few)
    )
    assert checked.baseline == alone.baseline
    assert checked.baseline.kind == "bootstrap"


def test_metrics_that_need_equal_numbers_get_them():
    sizes = []

    def sized(reference, generated, _):
        sizes.append((len(reference), len(generated)))
        return (Estimate(0.0),)

    metric = SampleMetric(("size",), ("size",), "any", sized, equal=True)
    rows = np.zeros((100, 1), np.float32)
    rng = np.random.default_rng(0)
    scores_of(metric, Tables(rows, rows[:70], None), None, rng)
    scores_of(metric, Tables(rows, rows[:70], rows[:90]), 60, rng)
    assert sizes == [(50, 50), (50, 50), (60, 60), (60, 60)]
