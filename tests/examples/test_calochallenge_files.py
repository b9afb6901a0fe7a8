"""The example on CaloChallenge's files as they are published: trained, generated, judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulacra.io import read_events
from tests.calochallenge import showers_like

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "examples/calochallenge-files/run.sh"
SMALL = ("training.steps=2", "selection.every=2", "model.cell_width=8", "training.batch_size=16")
WITHOUT_PLOTS = """
from simulacra import cli
from simulacra.validation.report import catalogue
catalogue.PLOTS = ()  # most of the time, and tested elsewhere
cli.main()
"""


def _published(path, n, seed):
    """A file of dataset 2's layout: two arrays, and nothing about the detector.

    All of one energy, since every energy costs the report's tables.
    """
    events = showers_like("2", n, seed)
    scale = 10_000 / events.conditions["energy"][:, None]
    with h5py.File(path, "w") as file:
        file["incident_energies"] = np.full((n, 1), 10_000.0)
        file["showers"] = events["showers"] * scale


def test_the_files_are_trained_on_and_judged_without_a_conversion(tmp_path):
    _published(tmp_path / "train.hdf5", 60, seed=1)
    _published(tmp_path / "test.hdf5", 20, seed=2)
    command = tmp_path / "bin/simulacra"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\n{WITHOUT_PLOTS}")
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    options = [word for key in SMALL for word in ("--set", key)]
    run = subprocess.run(
        ["sh", SCRIPT, "train.hdf5", "40", "test.hdf5", *options],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    metrics = json.loads((tmp_path / "report/metrics.json").read_text())
    scores = metrics["legacy"]["separations"]
    assert {"response", "voxel_energy", "energy.layer_44", "ec_r.layer_0"} <= set(scores)
    assert (
        json.loads((tmp_path / "simulator/simulator.json").read_text())["about"]["train_events"]
        == 40
    )
    with h5py.File(tmp_path / "test.hdf5") as asked, h5py.File(tmp_path / "generated.hdf5") as file:
        assert set(file) == {"incident_energies", "showers"}
        assert np.allclose(file["incident_energies"], asked["incident_energies"])
    assert len(read_events(tmp_path / "generated.h5")) == 20
