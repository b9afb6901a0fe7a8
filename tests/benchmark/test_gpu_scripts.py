"""The scripts that wait for a GPU: one of them, on the CPU, with its tiny network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_an_entry_trains_and_leaves_few_files(tmp_path):
    script = str(ROOT / "benchmarks" / "gpu" / "train.py")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, script, "dcgan", "--smoke", "-o", str(tmp_path / "out")]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["finished"]
    assert result["step"] == 2
    assert result["separation"]
    assert len(list((tmp_path / "out").iterdir())) <= 8
