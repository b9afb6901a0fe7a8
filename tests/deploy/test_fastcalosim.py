"""FastCaloSim's binned showers would find what they ask for: inputs, voxels, their edges."""

import json
from types import SimpleNamespace

import h5py
import numpy as np
import onnx
import pytest
import torch

from simulacra.deploy import export
from simulacra.deploy.fastcalosim import (
    BINS,
    GRAPH,
    FastCaloSimGraph,
    layer_numbers,
    voxels_of,
)
from simulacra.deploy.fastcalosim_check import Reader
from simulacra.detectors import load_detector
from simulacra.errors import ExportError
from tests.deploy.untrained import untrained

INPUTS = {"inn_einc_in": 1, "inn_eta_in": 1, "inn_z_energy": 5, "cfm_z_shape": 368}


@pytest.fixture(scope="module")
def flow():
    return untrained("flow-matching", detector="atlas-voxels")


@pytest.fixture(scope="module")
def folder(flow, tmp_path_factory):
    path = tmp_path_factory.mktemp("fastcalosim") / "photons"
    written = export(flow, "fastcalosim", path)
    assert "setInputShapes({0, 8, 168, 358, 363, 368}, {0, 1, 2, 3, 12})" in written
    return path


def _noise(seed):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal(n).astype(np.float32) for n in (5, 368))


@pytest.mark.slow
def test_inputs_and_outputs_are_those_of_the_reader(folder):
    """Names and shapes of TFCSMLCalorimeterSimulator; one event, no free dimension; one type."""
    model = onnx.load(folder / GRAPH)
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {name: [1, n] for name, n in INPUTS.items()} | {"voxels": [1, 368]}
    types = {v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)}
    assert types == {onnx.TensorProto.FLOAT}
    assert {node.domain for node in model.graph.node} == {""}


@pytest.mark.slow
@pytest.mark.parametrize("energy", [1000.0, 2500.0, 4000.0])
def test_the_reader_has_the_simulators_own_energies(flow, folder, energy):
    """The same normal numbers, MeV, layer after layer; |eta| changes nothing in these voxels."""
    layers, voxels = _noise(1)
    reader = Reader.load(folder)
    with torch.inference_mode():
        expected = flow.surrogate(
            torch.tensor([[energy]]), torch.from_numpy(np.concatenate([layers, voxels]))[None]
        )["showers"][0].numpy()
    for eta in (0.2, -0.2, 1.3):
        found = reader.voxels(energy, eta, (layers, voxels))
        assert sorted(found) == list(range(368))
        values = np.array([found[i] for i in range(368)])
        assert values == pytest.approx(expected, rel=1e-4, abs=1e-5 * float(expected.max()))


@pytest.mark.slow
def test_hits_of_the_reader_lie_in_our_voxels(flow, folder):
    """From normal numbers to hits: each layer's energy, and each hit in the cell it came from."""
    reader, energy = Reader.load(folder), 4000.0
    layers, voxels = _noise(2)
    found = reader.voxels(energy, 0.2, (layers, voxels))
    hits = reader.hits(reader.shares(found, energy), energy, np.random.default_rng(3))
    for layer, number in zip(flow.detector.layers, (0, 1, 2, 3, 12), strict=True):
        own = hits.layer == number
        x, y = (hits.radius[own] * f(hits.alpha[own]) for f in (np.cos, np.sin))
        cells = layer.segmentation.cells_at(x, y)
        energies = np.bincount(cells, hits.energy[own], layer.cells.stop - layer.cells.start)
        expected = np.array([found[i] for i in range(layer.cells.start, layer.cells.stop)])
        assert energies == pytest.approx(expected, rel=1e-5, abs=1e-3)


@pytest.mark.slow
def test_a_layer_without_energy_has_an_entry_and_no_hit(folder):
    """The C++ reader takes the last entry of each layer's list: an empty one is its end."""
    reader = Reader.load(folder)
    tiny = dict.fromkeys(range(368), 0.0) | dict.fromkeys([0, 8, 168, 358, 363], 1e-30)
    hits = reader.hits(reader.shares(tiny, 1000.0), 1000.0, np.random.default_rng(1))
    assert len(hits.energy) == 0
    with pytest.raises(ExportError, match="layer 0 has no voxel above 0"):
        reader.hits(reader.shares(dict.fromkeys(range(368), 0.0), 1000.0), 1000.0, None)
    energies = reader.voxels(1000.0, 0.2, _noise(4))
    assert all(energies[i] > 0 for i in (0, 8, 168, 358, 363))


@pytest.mark.slow
def test_edges_are_one_number_a_voxel_in_single_precision(folder):
    with h5py.File(folder / BINS) as file:
        assert len(file) == 20
        assert all(array.dtype == np.float32 for array in file.values())
        area = sum(
            np.sum(
                ((file[f"binstart_radius_layer_{n}"][:] + file[f"binsize_radius_layer_{n}"][:]) ** 2
                 - file[f"binstart_radius_layer_{n}"][:] ** 2)
                * file[f"binsize_alpha_layer_{n}"][:] / 2
            )
            for n in (1,)
        )  # fmt: skip
        assert area == pytest.approx(np.pi * 200**2, rel=1e-5)
    setup = json.loads((folder / "setup.json").read_text())
    assert setup["used_layers"] == [0, 1, 2, 3, 12]


class _Recorder(torch.nn.Module):
    """In a surrogate's place: it answers with its conditions and its noise."""

    encoder = SimpleNamespace(names=("theta", "energy"))
    model = SimpleNamespace(noise_shape=lambda n: (n, 3))
    detector = SimpleNamespace(response_arrays={"showers": SimpleNamespace(shape=(5,))})

    def forward(self, columns, noise):
        return {"showers": torch.cat([columns, noise], dim=1)}


def test_eta_is_the_angle_of_incidence_in_a_barrel():
    graph = FastCaloSimGraph(_Recorder(), [4])
    numbers = torch.tensor([[0.1, 0.2]]), torch.tensor([[0.3, 0.4]])
    for eta in (0.0, 0.5, 1.2):
        found = graph(torch.tensor([[5000.0]]), torch.tensor([[10 * eta]]), *numbers)[0].tolist()
        polar = 2 * np.arctan(np.exp(-eta))
        assert found[0] == pytest.approx(np.pi / 2 - polar, abs=1e-6)
        assert found[1:] == pytest.approx([5000.0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize("name", ["atlas-voxels", "par04-siw", "calochallenge-1-pions",
                                  "calochallenge-2", "calochallenge-3"])  # fmt: skip
def test_all_polar_detectors_have_edges(name):
    detector = load_detector(name)
    datasets = voxels_of(detector)
    assert sum(len(a) for a in datasets.values()) == 4 * detector.n_cells
    numbers = layer_numbers([layer.name for layer in detector.layers])
    for layer, number in zip(detector.layers, numbers, strict=True):
        radius, alpha = (
            datasets[f"binstart_{q}_layer_{number}"] + datasets[f"binsize_{q}_layer_{number}"] / 2
            for q in ("radius", "alpha")
        )
        cells = layer.segmentation.cells_at(radius * np.cos(alpha), radius * np.sin(alpha))
        assert list(cells) == list(range(len(radius)))


def test_what_the_reader_cannot_have_is_refused(gan, tmp_path):
    with pytest.raises(ExportError, match="does not give alignment_eta"):
        export(gan, "fastcalosim", tmp_path / "no")
    for name, why in (("alice-tpc", "it is a tpc"), ("calogan", "not rings and sectors")):
        with pytest.raises(ExportError, match=why):
            voxels_of(load_detector(name))
    many = untrained("dnncalogan", detector="atlas-voxels", latent=400)
    with pytest.raises(ExportError, match="takes 400 normal numbers, the reader gives 373"):
        export(many, "fastcalosim", tmp_path / "no")
    assert not list(tmp_path.iterdir())
