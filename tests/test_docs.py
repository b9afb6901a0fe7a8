"""The documentation's own detector file is the example, and its tutorial's commands run."""

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulacra import cli
from simulacra.conditions import EnergySpectrum
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector, parse_detector
from simulacra.fullsim import Geant4Settings, simulate
from simulacra.io import read_events, write_events
from simulacra.validation.report import catalogue as plots

ROOT = Path(__file__).parents[1]


def test_detector_in_the_docs_is_the_example():
    text = (ROOT / "docs/detectors.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(kind: calorimeter.*?)```", text, re.DOTALL)
    assert block is not None
    assert parse_detector(block[1]) == load_detector(ROOT / "examples/crystal-matrix.yaml")


@pytest.mark.geant4
def test_detector_in_the_docs_runs(tmp_path):
    matrix = load_detector(ROOT / "examples/crystal-matrix.yaml")
    events = simulate(
        matrix,
        Geant4Settings(particle="e-"),
        EnergySpectrum.parse("1GeV..2GeV"),
        tmp_path / "electrons.h5",
        seed=1,
        n=6,
    )
    response = events["showers"].sum(axis=1) / events.conditions["energy"]
    assert np.all(response > 0.8)  # 26 radiation lengths hold an electron
    assert np.all(response < 1)
    hottest = events["showers"].argmax(axis=1)
    assert np.all(hottest == 24)  # the crystal that was hit, in the middle of the window


SMALL = {
    "sample:train": "few.h5",
    "--rows 0:6000": "--rows 0:200",
    "--rows 6000:": "--rows 200:300",
    "steps: 20000": "steps: 2",
    "every: 500": "every: 2",
    "sample:test": "selection.h5",
    "-n 1000": "-n 10",
    "--energy 50GeV": "--energy 4GeV",
    "65_000.0": "4_000.0",
}
"""What the tutorial is run with, in place of what it says."""


def _blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def _run(command, monkeypatch):
    if not command.startswith("simulacra "):
        subprocess.run(shlex.split(command), check=True, stdout=subprocess.PIPE, timeout=300)
        return
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code, command


@pytest.mark.slow
def test_tutorial_on_deployment_runs(tmp_path, monkeypatch):
    pytest.importorskip("uproot")
    monkeypatch.setattr(plots, "PLOTS", ())  # most of the time, and tested elsewhere
    text = (ROOT / "docs/tutorial-deployment.md").read_text(encoding="utf-8")
    for long, short in SMALL.items():
        assert long in text
        text = text.replace(long, short)
    text = text.replace("EXAMPLES/", f"{ROOT}/examples/")
    monkeypatch.chdir(tmp_path)
    sample = load_sample("train")
    few = sample.take(np.isin(sample.conditions["energy"], [1000, 4000])).take(slice(300))
    write_events(few, tmp_path / "few.h5")
    (card,) = _blocks(text, "yaml")
    (tmp_path / "surrogate.yaml").write_text(card)
    commands = "".join(_blocks(text, "sh")).splitlines()
    compiles = all(shutil.which(tool) for tool in ("cmake", "c++"))
    for command in commands:
        if command.startswith("simulacra ") or compiles:
            _run(command, monkeypatch)
    (script,) = _blocks(text, "python")
    (tmp_path / "use.py").write_text(script)
    assert runpy.run_path(os.fspath(tmp_path / "use.py"))["showers"].shape == (2, 266)
    assert len(read_events(tmp_path / "onnx.h5")) == 10
    assert (tmp_path / "report/index.html").is_file()


FEW = {
    "-n 8000 --workers 2": "-n 160",
    "1GeV..10GeV": "200MeV..900MeV",
    "-n 1000": "-n 10",
    "steps: 3000": "steps: 4",
    "every: 500": "every: 2",
    "--energy 5GeV": "--energy 500MeV",
    "--energy 2GeV": "--energy 500MeV",
    "[2 GeV, 10 GeV]": "[300 MeV, 10 GeV]",
    "2GeV..9GeV": "300MeV..800MeV",
    "events: 200": "events: 4",
}
"""What the page on a detector of one's own is run with, in place of what it says."""


@pytest.mark.geant4
def test_a_detector_of_ones_own_from_a_to_z(tmp_path, monkeypatch):
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(plots, "PLOTS", ())  # most of the time, and tested elsewhere
    text = (ROOT / "docs/own-detector.md").read_text(encoding="utf-8")
    for long, short in FEW.items():
        assert long in text
        text = text.replace(long, short)
    monkeypatch.chdir(tmp_path)
    files = zip(("sandwich", "card", "hybrid"), _blocks(text, "yaml"), strict=True)
    for name, content in files:
        Path(f"{name}.yaml").write_text(content)
    for command in "".join(_blocks(text, "sh")).splitlines():
        _run(command, monkeypatch)
    assert len(read_events("electrons.h5")) == 10
    assert Path("sandwich.png").is_file()
    assert Path("report/index.html").is_file()
    mixed = read_events("mixed.h5")
    assert len(mixed) == 4
    assert np.all(mixed["showers"].sum(axis=1) > 0)
