"""Every metric gives one kind of record, and computing is apart from drawing."""

import re
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

import simulacra.validation
from simulacra.validation import comparer, validate
from simulacra.validation.metrics.catalogue import METRICS, Metric
from simulacra.validation.metrics.rank_baseline import DISTANCES
from simulacra.validation.metrics.record import Baseline, Estimate, Score
from tests.validation.samples import few

ROOT = Path(simulacra.validation.__file__).parent


@pytest.mark.slow
def test_a_metric_of_an_observable_is_a_record(small_validation):
    for group in small_validation.groups:
        for name, comparison in group.comparisons.items():
            scores = comparison.scores
            assert set(scores) == set(METRICS)
            assert {score.features for score in scores.values()} == {name}
            for key, score in scores.items():
                assert (score.value, score.error) == pytest.approx(
                    (comparison.metrics[key].value, comparison.metrics[key].error), nan_ok=True
                )
                assert score.n == (comparison.reference.n, comparison.generated.n)
            separation = scores["separation"]
            assert separation.baseline.estimate.value == comparison.baseline.mean
            with_baseline = {key for key, score in scores.items() if score.baseline is not None}
            assert with_baseline == {"separation", *comparison.baselines}
            assert with_baseline <= {"separation", *DISTANCES}


def test_a_record_has_value_error_baseline_and_events():
    baseline = Baseline("halves", Estimate(0.5, 0.2), (4, 4))
    score = Score("fpd", "FPD", "observables", Estimate(2.0, 0.1), baseline, (8, 9))
    assert (score.value, score.error, score.baseline, score.n) == (2.0, 0.1, baseline, (8, 9))
    assert Score("fpd", "FPD", "observables", Estimate(2.0), None, (8, 9)).baseline is None


@pytest.mark.slow
def test_a_metric_is_added_by_one_row(monkeypatch):
    def largest(reference, generated):
        return Estimate(float(np.max(generated) - np.max(reference)))

    rows = MappingProxyType({**METRICS, "largest": Metric("largest value", largest)})
    monkeypatch.setattr(comparer, "METRICS", rows)
    comparison = validate(few("test", 8), few("train", 8)).pooled.comparisons["response"]
    score = comparison.scores["largest"]
    assert isinstance(score, Score)
    assert np.isfinite(score.value)
    assert score.baseline is None


def test_only_the_report_loads_plotting_libraries():
    drawing = re.compile(r"^(?:import|from) (?:matplotlib|mplhep|jinja2)\b", re.MULTILINE)
    found = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if drawing.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"report"}
