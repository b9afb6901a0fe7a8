"""A package outside adds a kind of detector, observables, a model and a simulator by itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import simulacra

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent / "plugin"
SCRIPT = """
import numpy as np, simulacra as sim
from simulacra.detectors import parse_detector

detector = parse_detector('''
kind: strip-counter
name: row
strips: 4
conditions: {energy: {role: log, unit: MeV}}
''')
assert type(detector).__name__ == "StripCounter"
truth = sim.load_simulator("strips-by-formula")
for name, seed in (("train", 1), ("selection", 2), ("test", 3)):
    sim.write_events(truth.generate("1GeV,4GeV", 400, seed=seed), f"{name}.h5")
open("row.yaml", "w").write(detector.to_yaml())
open("card.yaml", "w").write('''
detector: row.yaml
data: {train: train.h5, selection: selection.h5}
model: {kind: strip-gaussian}
training: {steps: 400, learning_rate: 2.0e-2}
selection: {every: 200}
''')
simulator = sim.train(sim.Card.load("card.yaml"), "simulator")
test = sim.read_events("test.h5")
fast = sim.load_simulator("simulator").simulate(test.conditions, seed=4)
validation = sim.validate(test, fast)
ratios = [g.comparisons["total"].metrics["mean_ratio"].value for g in validation.energies]
print(np.abs(np.array(ratios) - 1).max() < 0.05, len(sim.draw_detector(detector).axes))
validation.report("report")
text = open("report/index.html").read()
print("charges" in text, "The strips." in text)
"""


def test_everything_from_simulation_to_validation(tmp_path):
    paths = os.pathsep.join((str(HERE), str(Path(simulacra.__file__).parents[1])))
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.split() == ["True", "1", "True", "True"]


def test_catalogue_shows_the_model(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), *sys.path))}
    command = [sys.executable, "-m", "simulacra", "models"]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "strip-gaussian" in run.stdout
