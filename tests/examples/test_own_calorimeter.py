"""The example of a calorimeter of one's own runs from its description to the hybrid run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulacra.detectors import load_detector
from simulacra.hybrid import HybridCard
from simulacra.training.card import Card

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples/own-calorimeter"
SMALL = {
    "TRAIN": 40,
    "MORE": 40,
    "SELECTION": 40,
    "TEST": 40,
    "STEPS": 4,
    "EVERY": 2,
    "HYBRID": 4,
    "WORKERS": 1,
}


def test_files_of_the_example_load(monkeypatch):
    monkeypatch.chdir(EXAMPLE)
    detector = load_detector("calorimeter.yaml")
    assert detector.stands_still
    assert [layer.shape for layer in detector.layers] == [(10, 10)] * 8
    assert detector.depth == 300
    Card.load(Path("card.yaml"))
    HybridCard.load(Path("hybrid.yaml"))


@pytest.mark.geant4
def test_the_example_runs(tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(EXAMPLE, folder)
    sizes = {name: str(size) for name, size in SMALL.items()}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | sizes | {"PATH": path, "ENERGY": "100MeV..400MeV"}
    done = subprocess.run(
        ["sh", "run.sh"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "symmetries used: mirror-x, mirror-y" in " ".join(done.stderr.split())
    assert "hybrid, section 8" in done.stdout
