"""The command ``validate`` on a simulator: its name, folder or exported file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulacra.cli import app
from simulacra.detectors import load_detector
from simulacra.io import write_events
from simulacra.simulators.generate import generate
from simulacra.validation.report import catalogue as plots
from tests.conftest import random_events

TESTS = Path(__file__).parents[1]
SERIES = TESTS / "simulators" / "folders" / "0.1"


@pytest.mark.parametrize("name", ["dnncalogan", "dnncalogan.onnx"])
def test_validate_generates_under_the_conditions_of_the_reference(name, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "PLOTS", ())  # most of the time, and tested elsewhere
    monkeypatch.setattr(plots, "PLOTS_OF_KIND", {})
    reference = tmp_path / "reference.h5"
    write_events(random_events(load_detector(TESTS / "small-cube.yaml"), 60), reference)
    write_events(generate(SERIES / name, like=str(reference)), tmp_path / "generated.h5")
    found = []
    for what in (SERIES / name, tmp_path / "generated.h5"):
        report = tmp_path / f"report-{what.name}"
        arguments = ["validate", str(reference), str(what), "-o", str(report)]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        found.append(json.loads((report / "metrics.json").read_text())["energies"])
    assert found[0] == found[1]
