import json
import re
import subprocess
import sys

import numpy as np
import pytest

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.events import Events
from simulacra.validation import validate
from simulacra.validation.report import group_plots
from tests.calochallenge import layout
from tests.validation.samples import few

pytestmark = pytest.mark.slow


@pytest.fixture
def report(small_report):
    return small_report


def test_the_report_is_one_file_that_needs_nothing_else(report):
    path, _ = report
    html = path.read_text(encoding="utf-8")
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)
    sources = re.findall(r'src="([^"]{0,22})', html)
    assert len(sources) >= 12
    assert set(sources) == {"data:image/png;base64,"}
    assert "<script" not in html
    assert "<link" not in html
    assert len(html) < 4e6
    assert sorted(p.name for p in path.parent.iterdir()) == ["index.html", "metrics.json"]
    assert [p.name for p in path.parent.parent.iterdir()] == ["report"]


def test_the_report_says_what_matters(report):
    path, validation = report
    html = path.read_text(encoding="utf-8")
    for text in (
        "σ/E = a/√E",
        "centre_eta.middle against impact_eta",
        "Single showers",
        "25 GeV: only the reference",
        "S / baseline",
        "parametric bootstrap",
        "262 GeV",
    ):
        assert text in html
    assert all(f"<th>{name}</th>" in html for name in validation.observables)


def test_equal_input_gives_equal_metrics(report, tmp_path, without_plots):
    path, validation = report
    reference, generated = few("test", 8), few("train", 8)
    again = validate(reference, generated).report(tmp_path / "again")
    first, second = (p.with_name("metrics.json").read_bytes() for p in (path, again))
    assert first == second
    assert json.loads(first) == json.loads(json.dumps(validation.to_json()))


def test_a_report_measures_nothing_again(report, tmp_path, monkeypatch):
    _, validation = report
    for module in ("compare", "sample"):
        monkeypatch.delattr(f"simulacra.validation.{module}.observables_of")
    page = validation.report(tmp_path / "again")
    assert page.read_bytes() == report[0].read_bytes()


def test_many_round_layers_some_of_them_empty(tmp_path, monkeypatch):
    monkeypatch.setattr(group_plots, "MOST_MEMBERS", 1)
    detector = layout("1-pions")
    rng = np.random.default_rng(0)
    conditions = draw_conditions(detector, EnergySpectrum((1e3, 2e3)), 20, rng)
    showers = rng.exponential(5, (20, detector.n_cells)).astype(np.float32)
    showers[:, detector.layers[-1].cells] = 0
    events = Events(conditions, {"showers": showers}, detector)
    path = validate(events, events).report(tmp_path / "report")
    assert path.stat().st_size > 1e5


def test_importing_validation_loads_no_plotting_library():
    code = "import sys, simulacra.validation as v; v.validate; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
