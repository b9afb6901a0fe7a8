"""A simulator of polar voxels as FastCaloSim's binned showers load it.

FastCaloSim gives the graph a kinetic energy in MeV, ten times |eta| and its own normal numbers: one
for each layer and one for each voxel. It takes voxel energies in MeV, layer after layer. It puts
each energy into hits that are uniform in the voxel's radius and angle around the particle.

A layer in which no voxel is above 0 has no entry in the reader's event, and the reader then looks
beyond the end of a list. The first voxel of each layer is therefore at least :data:`TINIEST`, which
makes an entry and no hit.

References:
    fcs-proj/FastCaloSim, 7580954: TFCSMLCalorimeterSimulator.cxx, TFCSBinnedShowerONNX.cxx,
    TFCSBinnedShowerBase.cxx, TFCSONNXHandler.cxx.
"""

from __future__ import annotations

import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from simulacra.arrays import Array
from simulacra.deploy.graph import EVENTS, OnnxModel, graph_of, save_graph
from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import ExportError
from simulacra.files.atomic import whole_folder
from simulacra.files.progress import OnProgress, silent
from simulacra.models.surrogate import Surrogate
from simulacra.simulators.trained import TrainedSimulator

GRAPH, BINS, ABOUT = "simulator.onnx", "bins.h5", "setup.json"
"""The files of the folder."""
ENERGY, ETA, LAYER_NOISE, VOXEL_NOISE = "inn_einc_in", "inn_eta_in", "inn_z_energy", "cfm_z_shape"
"""The inputs, as the reader names them."""
OUTPUT = "voxels"
ETA_SCALE = 10.0
"""The reader gives |eta| times this."""
TINIEST = 1e-30
"""MeV: more than nothing, less than what makes a hit."""
GIVEN = ("energy", "theta")
"""Conditions that the reader's inputs determine."""
_NUMBER = re.compile(r"(\d+)$")


class FastCaloSimGraph(nn.Module):
    """A surrogate between the reader's inputs and its voxels."""

    least: Tensor

    def __init__(self, surrogate: Surrogate, first: list[int]) -> None:
        super().__init__()
        self.surrogate = surrogate
        self.noise = surrogate.model.noise_shape(1)[1:]
        self.latent = math.prod(self.noise)
        n_cells = surrogate.detector.response_arrays["showers"].shape[0]
        least = torch.zeros(n_cells)
        least[first] = TINIEST
        self.register_buffer("least", least)

    def forward(self, energy: Tensor, eta: Tensor, layers: Tensor, voxels: Tensor) -> Tensor:
        """Return voxel energies (n, voxels) in MeV for (n, 1), (n, 1), (n, layers), (n, voxels).

        In a barrel a particle of pseudorapidity eta meets the layers under atan(sinh |eta|).
        """
        noise = torch.cat([layers, voxels], dim=1)[:, : self.latent].reshape(-1, *self.noise)
        sinh = (torch.exp(eta / ETA_SCALE) - torch.exp(-eta / ETA_SCALE)) / 2
        given = {"energy": energy, "theta": torch.atan(sinh)}
        columns = torch.cat([given[name] for name in self.surrogate.encoder.names], dim=1)
        cells: Tensor = self.surrogate(columns, noise)["showers"]
        # eta is an input of the graph even where nothing depends on it
        return torch.maximum(cells, self.least) + 0.0 * eta.abs()


def voxels_of(detector: Detector) -> dict[str, Array]:
    """Return the edges of the voxels of a detector, as the reader's datasets have them.

    Each dataset holds one number for each voxel of a layer, radii in mm and angles in rad. Angles
    are counted from the detector's first axis to its second one: from eta to phi.

    Raises:
        ExportError: the detector is not read out in polar voxels, or has conditions that the reader
            does not give.
    """
    layers = _layers_of(detector)
    datasets: dict[str, Array] = {}
    for number, cut in layers.items():
        sectors, rings = cut.shape
        edges, width = np.asarray(cut.r_edges), 2 * np.pi / sectors
        columns = {
            "binstart_radius": np.tile(edges[:-1], sectors),
            "binsize_radius": np.tile(np.diff(edges), sectors),
            "binstart_alpha": np.repeat(-np.pi + width * np.arange(sectors), rings),
            "binsize_alpha": np.full(sectors * rings, width),
        }
        for name, values in columns.items():
            datasets[f"{name}_layer_{number}"] = values.astype(np.float32)
    return datasets


def _layers_of(detector: Detector) -> dict[int, PolarSegmentation]:
    """Return the cells of each layer by the number that it has in FastCaloSim."""
    why = _why_not(detector)
    if why:
        msg = f"{detector.name} cannot be exported to FastCaloSim: {why}"
        raise ExportError(msg)
    assert isinstance(detector, Calorimeter)
    numbers = layer_numbers([layer.name for layer in detector.layers])
    cuts = [layer.segmentation for layer in detector.layers]
    return {n: c for n, c in zip(numbers, cuts, strict=True) if isinstance(c, PolarSegmentation)}


def _why_not(detector: Detector) -> str:
    """Return why a detector's voxels cannot be those of the reader; nothing where they can."""
    if not isinstance(detector, Calorimeter):
        return f"it is a {detector.kind}, the reader takes voxels of a calorimeter"
    if others := sorted(set(detector.conditions) - set(GIVEN)):
        return f"the reader does not give {', '.join(others)}"
    if not all(isinstance(layer.segmentation, PolarSegmentation) for layer in detector.layers):
        return "its cells are not rings and sectors around the particle"
    return ""


def layer_numbers(names: list[str]) -> list[int]:
    """Return the numbers of layers: those at the ends of their names, or their places.

    Example:
        >>> layer_numbers(["layer_0", "layer_12"]), layer_numbers(["strips", "middle"])
        ([0, 12], [0, 1])
    """
    found = [int(m[1]) for name in names if (m := _NUMBER.search(name))]
    ascending = len(found) == len(names) and all(np.diff(found) > 0)
    return found if ascending else list(range(len(names)))


def write(simulator: TrainedSimulator, path: Path, on_progress: OnProgress = silent) -> str:
    """Write a simulator for FastCaloSim as a folder, which appears whole or not at all.

    Before it appears the graph has answered some events as the network does.

    Raises:
        ExportError: the read-out is not of such voxels, the model takes more normal numbers than
            the reader gives, or the graph does not agree with the network.
        MissingDependencyError: a package of the extra ``onnx`` is not installed.
    """
    from simulacra.deploy.fastcalosim_check import largest_difference

    on_progress("writing the graph", 0, 2)
    detector = simulator.detector
    datasets = voxels_of(detector)
    assert isinstance(detector, Calorimeter)
    graph = FastCaloSimGraph(
        copy.deepcopy(simulator.surrogate), [layer.cells.start for layer in detector.layers]
    ).eval()
    shapes = {
        ENERGY: 1,
        ETA: 1,
        LAYER_NOISE: len(detector.layers),
        VOXEL_NOISE: detector.n_cells,
    }
    kind = simulator.card.model_kind
    _require_numbers(kind, graph.latent, shapes)
    example = {name: torch.ones(EVENTS, size) for name, size in shapes.items()}
    model = single_event(graph_of(graph, example, [OUTPUT], kind))
    setup = setup_of(detector)
    with whole_folder(path) as part:
        save_graph(model, part / GRAPH)
        with h5py.File(part / BINS, "w") as file:
            for name, values in datasets.items():
                file[name] = values
        (part / ABOUT).write_text(json.dumps(setup, indent=2) + "\n", encoding="utf-8")
        on_progress("comparing with the network", 1, 2)
        largest = largest_difference(simulator, graph, part)
        size = (part / GRAPH).stat().st_size
    on_progress("comparing with the network", 2, 2)
    return (
        f"{size / 1e6:.2f} MB, {detector.n_cells} voxels; largest difference from the network: "
        f"{largest:.1e} of the hottest voxel\n{_commands(path, setup)}{_caution(detector)}"
    )


def _require_numbers(kind: str, latent: int, shapes: dict[str, int]) -> None:
    given = shapes[LAYER_NOISE] + shapes[VOXEL_NOISE]
    if latent > given:
        msg = (
            f"model {kind} cannot be exported to FastCaloSim: it takes {latent} normal numbers, "
            f"the reader gives {given}, one for each layer and voxel"
        )
        raise ExportError(msg)


def setup_of(detector: Calorimeter) -> dict[str, list[int]]:
    """Return what the reader's ``setInputShapes`` takes: where layers begin, and their numbers."""
    boundaries = [layer.cells.start for layer in detector.layers] + [detector.n_cells]
    return {"layer_boundaries": boundaries, "used_layers": list(_layers_of(detector))}


def single_event(model: OnnxModel) -> OnnxModel:
    """Return the model for one event: the reader takes a free dimension as 1, with a warning."""
    import onnx_ir

    for value in (*model.graph.inputs, *model.graph.outputs):
        value.shape = onnx_ir.Shape([1, *value.shape.dims[1:]])
    for node in model.graph:  # shapes in between are found again by who needs them
        for value in node.outputs:
            if value not in model.graph.outputs:
                value.shape = None
    return model


def _commands(path: Path, setup: dict[str, Any]) -> str:
    """Return the reader's calls for these files."""
    lists = {name: ", ".join(map(str, values)) for name, values in setup.items()}
    return (
        f'load_simulator("{path / GRAPH}"), load_meta_data("{path / BINS}", layers) and\n'
        f"setInputShapes({{{lists['layer_boundaries']}}}, {{{lists['used_layers']}}})"
    )


def _caution(detector: Calorimeter) -> str:
    """Return what the reader does otherwise than the detector, if anything."""
    if "theta" not in detector.conditions:
        return ""
    return (
        "\ntheta is atan(sinh |eta|), as in a barrel; the reader takes distances across the "
        "particle's line, the voxels lie in the layers: along eta they are 1 / cos(theta) longer"
    )
