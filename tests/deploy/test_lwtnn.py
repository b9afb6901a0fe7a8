"""LWTNN's JSON answers as torch does, in ATLAS's terms, and avoids the reader's traps."""

import copy
import json
import math

import numpy as np
import pytest
import torch
from scipy.special import erf
from torch import nn

from simulacra.conditions import EnergySpectrum, draw_conditions
from simulacra.deploy import export
from simulacra.deploy.lwtnn import SOFTPLUS, graph_of
from simulacra.deploy.lwtnn_layers import Affine, Nonlinear, steps_of
from simulacra.deploy.lwtnn_reader import Graph
from simulacra.deploy.parity import relative_difference
from simulacra.detectors import load_detector
from simulacra.errors import ExportError, SimulacraError, SimulatorError
from simulacra.models.blocks.networks import Factors, TrainableSwish
from tests.deploy.untrained import untrained

pytestmark = pytest.mark.slow

EXAMPLE = {
    "inputs": [
        {
            "name": "Z",
            "variables": [
                {"name": "0", "offset": 0, "scale": 1},
                {"name": "1", "offset": 0, "scale": 1},
            ],
        },
        {
            "name": "E_true",
            "variables": [{"name": "0", "offset": -9.70406053, "scale": 0.567861}],
        },
    ],
    "input_sequences": [],
    "nodes": [
        {"type": "input", "sources": [0], "size": 2},
        {"type": "input", "sources": [1], "size": 1},
        {"type": "concatenate", "sources": [0, 1]},
        {"type": "feed_forward", "sources": [2], "layer_index": 0},
        {"type": "feed_forward", "sources": [3], "layer_index": 1},
    ],
    "layers": [
        {
            "architecture": "dense",
            "weights": [1, 0, 0, 0, 1, 1],
            "bias": [0, 0],
            "activation": {"function": "swish", "alpha": 1.3},
        },
        {"architecture": "dense", "weights": [0.5, 0.5], "bias": [0], "activation": "rectified"},
    ],
    "outputs": {"cells": {"labels": ["0"], "node_index": 4}},
}
"""The compiled reader gives .351579 for Z = (.7, -.4), E_true = 11."""
EXAMPLE_INPUTS = {"Z": {"0": 0.7, "1": -0.4}, "E_true": {"0": 11.0}}


def test_reader_gives_what_the_compiled_one_gives():
    assert Graph(EXAMPLE).compute(EXAMPLE_INPUTS)["0"] == pytest.approx(0.351579, abs=5e-7)


def test_reader_has_the_traps_of_the_compiled_one():
    for key in EXAMPLE:
        with pytest.raises(ExportError, match=key):
            Graph({name: value for name, value in EXAMPLE.items() if name != key})
    for mend, trap in (
        (lambda g: g["layers"][0].pop("activation"), "activation"),
        (lambda g: g["layers"][0]["weights"].pop(), "divisible"),
        (lambda g: g["layers"][0]["bias"].pop(), "bias"),
        (lambda g: g["outputs"]["cells"]["labels"].append("1"), "more labels"),
    ):
        graph = copy.deepcopy(EXAMPLE)
        mend(graph)
        with pytest.raises(ExportError, match=trap):
            Graph(graph).compute(EXAMPLE_INPUTS)
    with pytest.raises(ExportError, match="no input Z 1"):
        Graph(EXAMPLE).compute({"Z": {"0": 0.7}, "E_true": {"0": 11.0}})
    graph = copy.deepcopy(EXAMPLE)
    graph["layers"][0]["activation"] = "swish"
    assert math.isnan(Graph(graph).compute(EXAMPLE_INPUTS)["0"][0])
    graph["outputs"]["cells"]["labels"] = []
    assert Graph(graph).compute(EXAMPLE_INPUTS) == {}


def atlas_inputs(conditions, noise):
    """What ATLAS's DNNCaloSimSvc computes, from its geometry: η, φ, ln E and the cells' indices."""
    eta = conditions["impact_eta"] * 0.025 / 40
    phi = conditions["impact_phi"] * (np.pi / 128) / 40
    index_eta, index_phi = conditions["alignment_eta"], conditions["alignment_phi"]
    return {
        "Z": {str(i): column for i, column in enumerate(noise.T)},
        "E_true": {"0": (np.log(conditions["energy"]) - 9.70406053) / 1.76099569},
        "pconfig": {str(i): index_phi % 4 == i for i in range(4)},
        "econfig": {str(i): (index_eta + 1) % 2 == i for i in range(2)},
        "ripos": {
            "0": (eta - 3.47603256e-05) / 0.00722316,
            "1": (phi + 5.42153684e-05) / 0.00708241,
        },
    }


def cells_of(graph, inputs):
    outputs = Graph(graph).compute(inputs)
    assert list(outputs) == [str(i) for i in range(len(outputs))]
    return np.stack(list(outputs.values()), axis=1)


def drawn(simulator, n, seed=1):
    """Conditions, noise, and torch's cells as fractions of the energy."""
    rng = np.random.default_rng(seed)
    spectrum = EnergySpectrum.parse("1GeV..262GeV")
    conditions = draw_conditions(simulator.detector, spectrum, n, rng)
    noise = torch.from_numpy(rng.standard_normal((n, 300), dtype=np.float32))
    noise = noise[:, : simulator.surrogate.model.noise_shape(1)[1]]
    with torch.inference_mode():
        response = simulator.surrogate(simulator.surrogate.columns(conditions), noise)
    cells = response["showers"].numpy().astype(np.float64)
    return conditions, noise.numpy(), cells / conditions["energy"][:, None]


@pytest.mark.parametrize("output", ["softplus", "relu"])
def test_answers_as_torch_does_in_the_terms_of_atlas(output, tmp_path):
    simulator = untrained("dnncalogan", output=output, generator_widths=[16, 12])
    with torch.no_grad():  # as training would
        for i, module in enumerate(simulator.surrogate.model.generator.layers):
            if isinstance(module, TrainableSwish):
                module.beta.fill_(0.7 + 0.2 * i)
    export(simulator, "lwtnn", tmp_path / "gan.json")
    graph = json.loads((tmp_path / "gan.json").read_text())
    conditions, noise, expected = drawn(simulator, 10_000)
    cells = cells_of(graph, atlas_inputs(conditions, noise))
    assert cells.shape == (10_000, 266)
    assert relative_difference(expected, cells).max() <= 1e-5
    if output == "relu":
        assert np.array_equal(cells > 0, expected > 0)


def test_headline_architecture_is_small_enough():
    """Four hidden layers of 192 and 300 numbers of noise: 6 MB at most, labels for all cells."""
    simulator = untrained("dnncalogan", latent=300, generator_widths=[192] * 4)
    graph = graph_of(simulator)
    text = json.dumps(graph, separators=(",", ":"), allow_nan=False)
    assert 2e6 < len(text) < 6e6
    assert graph["outputs"]["cells"]["labels"] == [str(i) for i in range(266)]
    assert [node["size"] for node in graph["nodes"] if node["type"] == "input"] == [300, 1, 2, 2, 4]
    conditions, noise, expected = drawn(simulator, 200)
    cells = cells_of(graph, atlas_inputs(conditions, noise))
    assert relative_difference(expected, cells).max() <= 1e-5


def test_activations_carry_their_parameter(gan):
    for layer in graph_of(gan)["layers"]:
        if layer["architecture"] == "dense":
            activation = layer["activation"]
            assert activation in ("linear", "rectified", "abs") or math.isfinite(
                activation["alpha"]
            )


def test_other_detectors_are_asked_in_physical_units():
    """CaloGAN's 504 cells: no impact, the logarithm of the energy."""
    simulator = untrained("dnncalogan", detector="calogan")
    graph = graph_of(simulator)
    assert [node["name"] for node in graph["inputs"]] == ["Z", *simulator.detector.conditions]
    conditions, noise, expected = drawn(simulator, 100)
    inputs = {"Z": {str(i): column for i, column in enumerate(noise.T)}}
    inputs["energy"] = {"log": np.log(conditions["energy"])}
    cells = cells_of(graph, inputs)
    assert cells.shape == (100, load_detector("calogan").n_cells)
    assert relative_difference(expected, cells).max() <= 1e-5


def test_model_without_conditions_takes_noise_alone():
    simulator = untrained("wgan", detector="atlas-barrel-89")
    graph = graph_of(simulator)
    assert [node["name"] for node in graph["inputs"]] == ["Z"]
    _, noise, expected = drawn(simulator, 100)
    cells = cells_of(graph, {"Z": {str(i): column for i, column in enumerate(noise.T)}})
    assert cells.shape == (100, 89)
    assert relative_difference(expected, cells).max() <= 1e-5
    assert np.array_equal(cells > 0, expected > 0)


@pytest.mark.parametrize(
    ("options", "own", "name"),
    [
        ({"noise": "uniform", "energy": "linear"}, lambda z: erf(z / math.sqrt(2)), "value"),
        (
            {"noise": "normal", "energy": "log", "activation": "swish", "batch_norm": True},
            lambda z: (1 + z) / 2,
            "log",
        ),
    ],
)
def test_voxels_are_asked_for_with_noise_of_their_own(options, own, name):
    simulator = untrained("voxel-gan", detector="atlas-voxels", **options)
    graph = graph_of(simulator)
    assert graph["simulacra"]["noise"].startswith(options["noise"])
    conditions, noise, expected = drawn(simulator, 100)
    energy = conditions["energy"]
    inputs = {"Z": {str(i): own(column.astype(float)) for i, column in enumerate(noise.T)}}
    inputs["energy"] = {name: np.log(energy) if name == "log" else energy}
    cells = cells_of(graph, inputs)
    assert cells.shape == (100, 368)
    assert relative_difference(expected, cells).max() <= 1e-5


@pytest.mark.parametrize("energy", ["linear", "log"])
def test_voxels_in_the_terms_of_atlas(energy, tmp_path):
    """ATLAS hands over ln E, whether the network takes it or E itself; beyond training as well."""
    simulator = untrained("voxel-gan", energy=energy, latent=8)
    with torch.no_grad():  # a network to which the energy matters
        simulator.surrogate.model.generator.layers[0].weight[:, 8] *= 10
    export(simulator, "lwtnn", tmp_path / "gan.json")
    graph = json.loads((tmp_path / "gan.json").read_text())
    conditions, noise, expected = drawn(simulator, 1000)
    inputs = atlas_inputs(conditions, erf(noise.astype(float) / math.sqrt(2)))
    cells = cells_of(graph, inputs)
    assert relative_difference(expected, cells).max() <= 1e-5


@pytest.mark.parametrize("changed", ["E_true", "ripos", "pconfig", "Z"])
def test_a_graph_that_takes_a_number_for_another_is_refused(changed, gan, tmp_path, monkeypatch):
    def wrong(simulator):
        graph = graph_of(simulator)
        (node,) = (node for node in graph["inputs"] if node["name"] == changed)
        node["variables"][0]["offset"] += 0.5
        return graph

    monkeypatch.setattr("simulacra.deploy.lwtnn.graph_of", wrong)
    with pytest.raises(ExportError, match="differ from the network's by .* hottest cell"):
        export(gan, "lwtnn", tmp_path / "gan.json")
    assert not list(tmp_path.iterdir())


def test_decoder_of_the_autoencoder_answers_as_torch_does():
    """In the terms of ATLAS; with the flow before it, it is refused."""
    simulator = untrained("atlas-vae", flow_blocks=0)
    conditions, noise, expected = drawn(simulator, 100)
    cells = cells_of(graph_of(simulator), atlas_inputs(conditions, noise))
    assert relative_difference(expected, cells).max() <= 1e-5
    with pytest.raises(ExportError, match="with a flow"):
        graph_of(untrained("atlas-vae", flow_blocks=1))


def test_softplus_from_exponentials_keeps_its_digits():
    x = np.linspace(-40, 40, 4001)
    u = np.exp(-np.abs(x))
    found = np.maximum(x, 0) + sum(w * -np.expm1(-t * u) for w, t in SOFTPLUS)
    np.testing.assert_allclose(found, np.logaddexp(0, x), rtol=4e-7)


def test_batch_norm_and_factors_are_folded():
    """Before and after an activation, and after a rectified one; what is left is affine."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        chain = nn.Sequential(
            nn.BatchNorm1d(3),
            nn.Linear(3, 5),
            nn.BatchNorm1d(5),
            nn.LeakyReLU(0.2),
            nn.BatchNorm1d(5),
            nn.Dropout(0.5),
            nn.Linear(5, 4),
            nn.ReLU(),
            Factors(torch.tensor([0.1, 1.0, 2.0, 30.0])),
        )
        for _ in range(20):
            chain(torch.randn(64, 3) * 2 + 1)
        for module in chain:
            if isinstance(module, nn.BatchNorm1d):
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
    first, leaky, second, rectified = steps_of(chain, "test")
    assert isinstance(first, Affine)
    assert isinstance(second, Affine)
    assert leaky == Nonlinear({"function": "leakyrelu", "alpha": 0.2})
    assert rectified == Nonlinear("rectified")
    x = np.random.default_rng(1).normal(size=(50, 3))
    hidden = x @ first.weights.T + first.bias
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    found = np.maximum(hidden @ second.weights.T + second.bias, 0)
    with torch.inference_mode():
        expected = chain.eval().double()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_layers_and_models_that_lwtnn_has_not_are_refused(photons, tmp_path):
    with pytest.raises(ExportError, match=r"no layer Conv2d; .* ONNX can"):
        steps_of([nn.Linear(2, 2), nn.Conv2d(1, 1, 3)], "some-gan")
    with pytest.raises(ExportError, match="flow-matching .* not one chain of dense layers"):
        export(photons, "lwtnn", tmp_path / "no.json")
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_refused(tmp_path):
    simulator = untrained("dnncalogan")
    with torch.no_grad():
        simulator.surrogate.model.generator.layers[0].weight[0, 0] = torch.nan
    with pytest.raises(ExportError, match="not finite"):
        export(simulator, "lwtnn", tmp_path / "no.json")
    assert not list(tmp_path.iterdir())


def test_a_changed_digit_is_noticed(tmp_path):
    """Of every hundredth character: no single change is read as another graph."""
    simulator = untrained("voxel-gan", energy="log", latent=2, generator_widths=[3])
    path = tmp_path / "gan.json"
    export(simulator, "lwtnn", path)
    content = path.read_bytes()
    graph = Graph.load(path)
    assert graph.about["detector"] == simulator.detector.name
    digits = [n for n, byte in enumerate(content) if chr(byte).isdigit()][::100]
    assert len(digits) > 30
    for n in digits:
        path.write_bytes(content[:n] + bytes([48 + (content[n] - 47) % 10]) + content[n + 1 :])
        with pytest.raises(SimulatorError, match="changed or damaged"):
            Graph.load(path)
    assert set(json.loads(content)) - {"simulacra"} == set(EXAMPLE)  # all that LWTNN itself reads


def test_graphs_of_others_are_read_and_what_is_none_is_refused(tmp_path):
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(EXAMPLE))
    assert Graph.load(path).compute(EXAMPLE_INPUTS)["0"] == pytest.approx(0.351579, abs=5e-7)
    for content in (b"\xff\xfe", b"[1]", b"{", b"[" * 100_000, b'{"simulacra": 3}', b'{"a": 1}'):
        path.write_bytes(content)
        with pytest.raises(SimulacraError):
            Graph.load(path)
    with path.open("wb") as file:
        file.truncate(10**10)  # a hole, which takes no place
    with pytest.raises(SimulatorError, match="1e.04 MB; at most 200 MB"):
        Graph.load(path)
