"""The example of a chamber of one's own runs as it is written: simulated, trained, judged."""

import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from simulacra import cli
from simulacra.io import read_events
from simulacra.validation.report import catalogue as plots

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2] / "examples/own-tpc"
SMALL = {
    "-n 8000": "-n 160",
    "-n 1000": "-n 60",
    "-n 3000": "-n 80",
    "--workers 2": "--workers 1",
    " -o simulator": " --set training.steps=4 --set selection.every=4 -o simulator",
}
"""What it is run with, in place of what it says."""


def run(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code, words


@pytest.mark.geant4
def test_example_of_an_own_tpc_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plots, "PLOTS", ())  # most of the time, and tested elsewhere
    text = (HERE / "run.sh").read_text(encoding="utf-8").replace("$here", os.fspath(HERE))
    for long, short in SMALL.items():
        assert long in text
        text = text.replace(long, short)
    for line in text.splitlines():
        if line.startswith("simulacra "):
            run(shlex.split(line), monkeypatch)
    full, fast = read_events("test.h5"), read_events("fast.h5")
    assert set(full.conditions["pdg"]) == {211, 2212}
    length = full.detector.drift_length
    for events, allowed, seen in ((full, 2.0, 0.9), (fast, 0.0, 0.1)):  # four steps of training
        present = events["cluster_mask"] > 0
        assert present.any(axis=1).mean() > seen
        assert np.abs(events["clusters"][..., 2])[present].max() <= length + allowed
    assert (tmp_path / "report/index.html").is_file()
