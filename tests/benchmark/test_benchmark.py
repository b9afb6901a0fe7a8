import json
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from simulacra.benchmark import BenchmarkSettings, benchmark, write_benchmark
from simulacra.benchmark.report import markdown
from simulacra.benchmark.result import Benchmark, FastResult, FullResult, Speed
from simulacra.benchmark.run import quality
from simulacra.benchmark.timing import median_ms
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.errors import EventsError, SimulacraError, SimulatorError
from simulacra.files.memory import peak_memory_mb
from simulacra.fullsim import Geant4Settings
from simulacra.simulators.trained import train
from simulacra.validation import validate
from tests.conftest import random_events
from tests.validation.samples import few

pytestmark = pytest.mark.slow

SMALL_CUBE = Path(__file__).parents[1] / "small-cube.yaml"
QUICK = BenchmarkSettings(batches=(1, 10), seconds=0.01, energies=(1000.0,), extrapolate=True)
"""The simulator of these tests learned from 1 to 4 GeV, the sample goes to 262 GeV."""


@pytest.fixture
def folder(small_card, tmp_path):
    train(small_card(steps=2), tmp_path / "simulator")
    return tmp_path / "simulator"


def result(**changes):
    quality = {"separation": 0.02, "baseline": 0.01}
    speeds = (Speed(1, 1.0, 2.0, 4.0), Speed(100, 0.1, 0.2, 0.5))
    fields = {
        "name": "gan",
        "speeds": speeds,
        "cold_start_s": 1.0,
        "peak_memory_mb": 300.0,
        "disk_mb": 3.0,
        "quality": quality,
    }
    full = FullResult("Geant4 opt0", {1000.0: 20.0, 10_000.0: 200.0}, 250.0)
    facts = {"detector": "d", "events": 1, "processor": "p", "cores": 2}
    return Benchmark((FastResult(**fields | changes),), (full,), facts)


def test_median_of_a_known_wait():
    assert median_ms(lambda: time.sleep(0.01), seconds=0.05) == pytest.approx(10, rel=0.5)


def test_peak_memory_is_that_of_one_process_and_not_of_its_parent():
    held = np.ones(40_000_000)  # 320 MB
    assert peak_memory_mb() > held.nbytes / 2**20
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        before = pool.submit(peak_memory_mb).result()
        assert before < 150  # neither what the parent holds nor what the benchmark imports
        pool.submit(bytes, 200 * 2**20).result()  # and perhaps once more, for the way back
        assert 190 < pool.submit(peak_memory_mb).result() - before < 420


def test_timed_processes_import_no_more_than_they_need():
    code = "import sys, simulacra.benchmark.timing; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "matplotlib", "sklearn", "scipy.stats", "geant4_pybind"}
    assert not heavy & set(run.stdout.split())


def test_break_even_is_where_the_times_are_equal():
    full = result().full[0]
    energy = full.break_even(fast_ms=4.0)
    assert energy / 1000 * 20.0 == pytest.approx(4.0)


def test_tracks_that_take_equally_long_at_any_momentum_break_even_nowhere():
    tracks = FullResult("Geant4 opt0", {100.0: 12.0, 1000.0: 10.0, 10_000.0: 11.0}, 250.0)
    assert np.isnan(tracks.break_even(fast_ms=4.0))
    text = markdown(replace(result(), full=(tracks,)))
    assert "break-even" not in text
    assert "nan" not in text


def test_speed_ups_are_geant4_over_each_of_the_three_times():
    rows = [[cell.strip() for cell in line.split("|")] for line in markdown(result()).splitlines()]
    rows = [row[4:8] for row in rows if row[1:3] == ["gan", "1"] and row[3].startswith("Geant4")]
    fast, full = result().fast[0].speeds[0], result().full[0]
    for energy, row in zip(full.ms_per_event, rows, strict=False):
        times = fast.network, fast.simulate, fast.service
        expected = [full.ms_per_event[energy] / time for time in times]
        assert [float(cell) for cell in row[1:]] == pytest.approx(expected, rel=5e-3)
    assert rows[-1][0] == "break-even"
    assert rows[-1][-1] == "200 MeV"


def test_fast_simulator_end_to_end(folder, tmp_path):
    test = load_sample("test").take(slice(300))
    measured = benchmark([folder], test, settings=QUICK)
    path = write_benchmark(measured, tmp_path / "benchmark")
    content = json.loads(path.with_suffix(".json").read_text())
    assert [s["batch"] for s in content["fast"][0]["speeds"]] == [1, 10]
    for speed in measured.fast[0].speeds:
        assert 0 < speed.network < speed.simulate < speed.service
    assert 0 < measured.fast[0].disk_mb < 5
    assert path.with_suffix(".png").stat().st_size > 1000
    assert 100 < measured.fast[0].peak_memory_mb < 1000
    assert not any(name.startswith("auc") for name in measured.fast[0].quality)


def test_an_exported_file_is_measured_like_a_folder(tmp_path):
    series = Path(__file__).parents[1] / "simulators" / "folders" / "0.1"
    reference = random_events(load_detector(SMALL_CUBE), 60)
    places = [series / "dnncalogan", series / "dnncalogan.onnx"]
    folder, file = benchmark(places, reference, settings=QUICK).fast
    assert (folder.name, file.name) == ("dnncalogan", "dnncalogan.onnx")
    for speed in file.speeds:
        assert 0 < speed.network < speed.simulate < speed.service
    assert file.disk_mb == pytest.approx(places[1].stat().st_size / 1e6)
    assert file.quality.keys() == folder.quality.keys()
    assert file.cold_start_s < folder.cold_start_s  # no torch
    assert file.peak_memory_mb < folder.peak_memory_mb


def test_a_reference_far_outside_the_training_is_refused(folder):
    settings = QUICK.model_copy(update={"extrapolate": False})
    with pytest.raises(SimulatorError, match=r"energy: \d+ events, .* far outside .*--extrapolate"):
        benchmark([folder], load_sample("test").take(slice(300)), settings=settings)


def test_the_auc_is_that_of_the_classifier_that_counts():
    reference, generated = few("train", 60), few("selection", 60)
    validation = validate(reference, generated, profile="quick")
    scores = quality(validation)
    for features in ("cells", "normalised", "high-level"):
        aucs = [a.auc.value for a in validation.samples.classifier_tests if a.features == features]
        name = f"auc_{features.replace('-', '_')}"
        assert scores[name] == max(aucs)
        assert 0.3 < scores[f"{name}_baseline"] < 0.7


def test_a_headline_that_is_undefined_at_an_energy_is_no_score():
    reference, generated = few("train", 10), few("selection", 10)
    showers = generated["showers"].copy()
    showers[generated.conditions["energy"] == 16e3] = np.nan
    scores = quality(validate(reference, replace(generated, response={"showers": showers})))
    assert np.isnan([scores["worst_mean"], scores["worst_width"]]).all()
    assert 0 < scores["separation"] < 1
    one = validate(reference, reference.take(np.arange(0, len(reference), 10)))  # no widths
    scores = quality(one)
    assert np.isfinite(scores["worst_mean"])
    assert np.isnan(scores["worst_width"])


@pytest.mark.geant4
def test_geant4_end_to_end(folder):
    test = load_sample("test").take(slice(100))
    measured = benchmark([folder], test, [Geant4Settings(particle="gamma")], QUICK)
    (full,) = measured.full
    assert full.ms_per_event[1000.0] > 1
    assert "opt0" in full.physics
    assert 60 < full.peak_memory_mb < 1000  # Geant4 without torch and pictures


def test_other_detectors_and_missing_folders_are_refused(folder, tmp_path):
    with pytest.raises(EventsError, match="of detector calogan, not of"):
        benchmark([folder], random_events(load_detector("calogan"), 5), settings=QUICK)
    with pytest.raises(SimulacraError, match="not a simulator folder"):
        benchmark([tmp_path], load_sample("test"), settings=QUICK)
