"""A generator that is given the sides of its stack, and learns its layers as parts, exports."""

from pathlib import Path

import pytest
import yaml

from simulacra.deploy import export
from simulacra.deploy.parity import LARGEST, compare, typical_conditions
from simulacra.runtime import Runtime
from tests.deploy.untrained import untrained

OWN = Path(__file__).parents[2] / "examples/own-calorimeter/calorimeter.yaml"
TUBE = {"kind": "tube", "radius": "120 mm"}
RINGS = {"kind": "polar", "r_edges": ["0 mm", "30 mm", "60 mm", "120 mm"], "alpha": 4}


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["box", "tube"])
def test_sides_are_in_the_file(shape, tmp_path):
    content = yaml.safe_load(OWN.read_text())
    content["stack"] = [section | {"repeat": 5} for section in content["stack"][:2]]
    if shape == "tube":
        content["volume"] = TUBE
        content["beam"] |= {"x": ["-80 mm", "80 mm"], "y": ["-80 mm", "80 mm"]}
        for section in content["stack"]:
            section["readout"] = {"segmentation": RINGS}
    path = tmp_path / "detector.yaml"
    path.write_text(yaml.safe_dump(content))
    options = {"sides": True, "layer_energies": "parts", "energy_maps": 2, "symmetries": []}
    simulator = untrained("flow-matching", str(path), **options)
    export(simulator, "onnx", tmp_path / "sides.onnx")
    runtime = Runtime.load(tmp_path / "sides.onnx")
    conditions = typical_conditions(runtime.contract, 1000, seed=1)
    parity = compare(simulator.surrogate, runtime, conditions, (1, 100))
    assert parity.largest <= LARGEST
    assert parity.undecided <= 1
