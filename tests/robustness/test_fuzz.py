"""Damaged and hostile inputs are refused in one line, or give the same: a few of `make fuzz`."""

import os

import pytest

from tests.robustness import fuzz

pytestmark = pytest.mark.slow

pytest.importorskip("onnxruntime")
pytest.importorskip("uproot")
SEED, CASES = 1, 30


def test_damaged_and_hostile_inputs(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sysconf", os.sysconf)  # what a campaign changes is put back
    monkeypatch.setenv("GEANT4_DATA_DIR", "")
    found = [
        (case.target.group, case.kind, outcome, ran.err[-300:])
        for case, outcome, ran in fuzz.campaign(range(CASES), SEED, tmp_path)
    ]
    assert len(found) == CASES
    assert [each for each in found if each[2] in fuzz.FAILURES] == []
    assert {fuzz.REFUSED, fuzz.SAME} <= {outcome for *_, outcome, _ in found}
