"""The documentation's own detector file is the example, and Geant4 runs it."""

import re
from pathlib import Path

import numpy as np
import pytest

from simulacra.conditions import EnergySpectrum
from simulacra.detectors import load_detector, parse_detector
from simulacra.fullsim import Geant4Settings, simulate

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
