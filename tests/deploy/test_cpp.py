"""The C++ example builds without a warning and answers as Python does."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from simulacra.deploy import export
from simulacra.deploy.parity import relative_difference, typical_conditions
from simulacra.runtime import Runtime
from tests.deploy.test_lwtnn import EXAMPLE, atlas_inputs, cells_of, drawn
from tests.deploy.untrained import untrained

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "examples/cpp"
ORDER = ("Z", "E_true", "ripos", "econfig", "pconfig")


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of the built programs."""
    if not all(shutil.which(tool) for tool in ("cmake", "c++")):
        pytest.skip("no CMake or no C++ compiler")
    folder = tmp_path_factory.mktemp("cpp")
    root = os.environ.get("ONNXRUNTIME_ROOT", "")
    options = ["-DCMAKE_CXX_FLAGS=-Werror", f"-DONNXRUNTIME_ROOT={root}"]
    for command in (
        ["cmake", "-S", SOURCE, "-B", folder, *options],
        ["cmake", "--build", folder],
    ):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
    return folder


def answers(program, file, rows):
    lines = "\n".join(" ".join(f"{number:.9g}" for number in row) for row in rows)
    command = [program, file, "-"]
    run = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return np.array([[float(cell) for cell in line.split()] for line in run.stdout.splitlines()])


def test_worked_example(programs, tmp_path):
    (tmp_path / "example.json").write_text(json.dumps(EXAMPLE))
    found = answers(programs / "lwtnn_showers", tmp_path / "example.json", [[0.7, -0.4, 11.0]])
    assert found == pytest.approx(np.array([[0.351579]]), abs=5e-7)


@pytest.mark.parametrize("output", ["softplus", "relu"])
def test_showers_are_those_of_python(programs, output, tmp_path):
    simulator = untrained("dnncalogan", output=output)
    export(simulator, "lwtnn", tmp_path / "gan.json")
    conditions, noise, expected = drawn(simulator, 50)
    inputs = atlas_inputs(conditions, noise)
    groups = [np.stack(list(inputs[node].values()), axis=1) for node in ORDER]
    found = answers(programs / "lwtnn_showers", tmp_path / "gan.json", np.concatenate(groups, 1))
    graph = json.loads((tmp_path / "gan.json").read_text())
    assert relative_difference(cells_of(graph, inputs), found).max() < 1e-7
    assert relative_difference(expected, found).max() <= 1e-5


def test_photons_are_printed_in_mev(programs, gan, tmp_path):
    export(gan, "lwtnn", tmp_path / "gan.json")
    command = [programs / "lwtnn_showers", tmp_path / "gan.json", "50000", "3", "7"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    showers = np.array([line.split() for line in run.stdout.splitlines()], float)
    assert showers.shape == (3, 266)
    assert len({shower.tobytes() for shower in showers}) == 3
    assert "ms of CPU time" in run.stderr


@pytest.mark.parametrize("content", ["{", '{"inputs": [], "nodes": []}', "nonsense", None])
def test_broken_files_end_with_one_line(programs, content, tmp_path):
    file = tmp_path / "broken.json"
    if content is not None:
        file.write_text(content)
    command = [programs / "lwtnn_showers", file, "1000"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("error: ")
    assert len(run.stderr.splitlines()) == 1


def test_onnx_showers_are_those_of_python(programs, gan_file):
    if not (programs / "onnx_showers").is_file():
        pytest.skip("no ONNX Runtime for C++; ONNXRUNTIME_ROOT can name one")
    runtime = Runtime.load(gan_file)
    conditions = typical_conditions(runtime.contract, 20, seed=1)
    columns = conditions.matrix([column.name for column in runtime.contract.columns])
    noise = np.random.default_rng(1).standard_normal((20, *runtime.contract.noise), np.float32)
    found = answers(programs / "onnx_showers", gan_file, np.concatenate([columns, noise], axis=1))
    expected = runtime.run(columns, noise)["showers"]
    assert relative_difference(expected, found).max() < 1e-6
