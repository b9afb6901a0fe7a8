"""Results that former releases wrote are read, and a note states that they were converted."""

import json
from pathlib import Path

import numpy as np
import pytest

from simulacra.validation import Thresholds, Validation
from simulacra.validation.former import NEW_NAMES
from simulacra.validation.result import FORMER_BASELINE
from simulacra.validation.schema import shipped_schema
from simulacra.validation.thresholds import Rule

from .test_schema import problems

HERE = Path(__file__)
SCHEMA_4 = HERE.with_name("metrics-schema-4.json")
SCHEMA_3 = HERE.parents[2] / "benchmarks" / "systems" / "results" / "wgan-89" / "metrics.json"


def keys(value):
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from keys(item)


@pytest.mark.parametrize(("file", "schema"), [(SCHEMA_3, 3), (SCHEMA_4, 4)])
def test_a_former_file_is_read_with_a_note(file, schema):
    found = Validation.load(file)
    former = json.loads(file.read_text(encoding="utf-8"))
    assert former["schema_version"] == schema
    assert found.notes[-1].startswith(f"read from a metrics.json of schema {schema}")
    assert found.notes[:-1] == tuple(former["notes"])
    assert found.primary_observable == former["headline"]
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert list(problems(content, shipped_schema(), shipped_schema())) == []
    assert set(keys(content)) & set(NEW_NAMES) == {FORMER_BASELINE}  # beside the present name
    old = former["pooled"]["comparisons"]["response"]
    new = found.pooled.comparisons["response"]
    assert new.baseline.mean == old["floor"]["mean"]
    assert new.baselines["ks"].quantile == old["floors"]["ks"]["quantile"]
    assert new.reference.sigma_eff.value == old["reference"]["spread"]["value"]
    assert new.metrics["sigma_eff_ratio"].value == old["metrics"]["spread_ratio"]["value"]
    assert "S / baseline" in found.table()


def test_classifier_tests_of_a_former_file_are_read():
    former = json.loads(SCHEMA_4.read_text(encoding="utf-8"))["samples"]
    found = Validation.load(SCHEMA_4).samples
    for old, new in zip(former["adversaries"], found.classifier_tests, strict=True):
        assert new.auc.value == old["auc"]["value"]
        assert new.baseline_auc.estimate.value == old["floor_auc"]["estimate"]["value"]
        assert set(new.baseline_energies) == set(old["floor_energies"])
    for old, score in zip(former["scores"], found.scores, strict=True):
        value = old["floor"]["estimate"]["value"]
        assert score.baseline.estimate.value == pytest.approx(value or np.nan, nan_ok=True)


def test_former_limits_of_a_thresholds_file_are_read(tmp_path):
    file = tmp_path / "limits.yaml"
    file.write_text("rules: [{over_floor: 3, spread_ratio: 0.1}]")
    assert Thresholds.load(file).rules == (Rule(over_baseline=3, sigma_eff_ratio=0.1),)
