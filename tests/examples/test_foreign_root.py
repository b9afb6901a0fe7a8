"""The example that goes from ROOT files of others to a judged simulator runs as it is written."""

import os
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from simulacra import cli
from simulacra.io import read_events
from simulacra.validation.report import catalogue as plots

pytestmark = pytest.mark.slow

pytest.importorskip("uproot")
HERE = Path(__file__).parents[2] / "examples/foreign-root"
EVENTS = 60
SMALL = {
    "--events 4000": f"--events {EVENTS}",
    " -o simulator": " -o simulator --set training.steps=2 --set selection.every=2",
}
"""What it is run with, in place of what it says."""


def _run(words, monkeypatch):
    if words[0] == "python":
        monkeypatch.setattr(sys, "argv", words[1:])
        runpy.run_path(words[1], run_name="__main__")
        return
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code, words


def test_example_of_foreign_root_files_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plots, "PLOTS", ())  # most of the time, and tested elsewhere
    text = (HERE / "run.sh").read_text(encoding="utf-8").replace("$here", os.fspath(HERE))
    for long, short in SMALL.items():
        assert long in text
        text = text.replace(long, short)
    lines = [line for line in text.splitlines() if line.startswith(("python ", "simulacra "))]
    for line in lines:
        _run(shlex.split(line), monkeypatch)
    toy = runpy.run_path(os.fspath(HERE / "make_files.py"))
    for name, seed in (("hits", 1), ("showers", 2), ("two_trees", 3)):
        energy, cells = toy["showers"](EVENTS, seed)
        if name == "two_trees":
            cells[EVENTS // 2] = 0  # the event without hits
        events = read_events(f"{name}.h5")
        assert np.allclose(events.conditions["energy"], 1000 * energy, rtol=1e-9)
        assert np.allclose(events["showers"], 1000 * cells, rtol=1e-6)
    assert (tmp_path / "report/index.html").is_file()
