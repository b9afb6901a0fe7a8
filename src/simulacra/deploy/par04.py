"""A simulator of a cylinder as Geant4's example Par04 loads it.

The example knows one input of ``latent + 4`` numbers: standard normal noise, E / 1024 GeV, the
polar angle / 90°, and two that name the example's own detectors. It takes one output, the voxels in
the order (r, phi, z) as fractions of the particle's energy, and puts them along its momentum.

References:
    Geant4 11.4, examples/extended/parameterisations/Par04: Par04InferenceSetup.cc and .hh,
    Par04OnnxInference.cc, common_settings_lowgran.mac.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from simulacra.deploy.graph import EVENTS, graph_of, save_graph
from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import ExportError
from simulacra.files.atomic import whole_file
from simulacra.files.progress import OnProgress, silent
from simulacra.models.surrogate import Surrogate
from simulacra.simulators.trained import TrainedSimulator

HIGHEST_ENERGY = 1_024_000.0
"""MeV, that the example divides by; it has no command for it."""
CONDITIONS = 4
"""Numbers after the noise: energy, angle, and two for the detector, which are not needed."""
INPUT, OUTPUT = "generator_input", "energies"


class Par04Graph(nn.Module):
    """A surrogate between the example's input and its order of voxels."""

    def __init__(self, surrogate: Surrogate, mesh: tuple[int, int, int]) -> None:
        super().__init__()
        self.surrogate = surrogate
        self.mesh = mesh
        self.noise = surrogate.model.noise_shape(1)[1:]
        self.latent = math.prod(self.noise)

    def forward(self, generator_input: Tensor) -> Tensor:
        """Return fractions of the energy (n, voxels) for (n, latent + 4)."""
        noise = generator_input[:, : self.latent].reshape(-1, *self.noise)
        energy = generator_input[:, self.latent : self.latent + 1] * HIGHEST_ENERGY
        given = {"energy": energy}
        polar = generator_input[:, self.latent + 1 : self.latent + 2] * (math.pi / 2)
        given["theta"] = (math.pi / 2 - polar).abs()  # the example's layers lie around its z axis
        columns = torch.cat([given[name] for name in self.surrogate.encoder.names], dim=1)
        cells: Tensor = self.surrogate(columns, noise)["showers"] / energy
        layers, sectors, rings = self.mesh
        return cells.reshape(-1, layers, sectors, rings).permute(0, 3, 2, 1).flatten(1)


@dataclass(frozen=True, slots=True)
class Cylinder:
    """The regular cylinder of voxels that a detector is read out in.

    Attributes:
        layers, sectors, rings: numbers of voxels along the axis, around it and across it.
        ring_width, layer_depth: of a voxel, mm.
    """

    layers: int
    sectors: int
    rings: int
    ring_width: float
    layer_depth: float

    @property
    def mesh(self) -> tuple[int, int, int]:
        """The numbers of layers, sectors and rings."""
        return self.layers, self.sectors, self.rings


def cylinder_of(detector: Detector) -> Cylinder:
    """Return the cylinder of voxels of a detector.

    Raises:
        ExportError: the detector is not read out in one regular cylinder of voxels, or asks for
            conditions that the example does not give.
    """
    cylinder = CYLINDERS.get(detector.kind, _no_cylinder)(detector)
    if isinstance(cylinder, str):
        msg = f"{detector.name} cannot be exported to Par04: {cylinder}"
        raise ExportError(msg)
    return cylinder


def _no_cylinder(detector: Detector) -> str:
    return f"it is a {detector.kind}, the example's read-out is a cylinder of voxels"


def _of_calorimeter(detector: Calorimeter) -> Cylinder | str:
    """Return the cylinder, or why there is none."""
    others = set(detector.conditions) - {"energy", "theta"}
    if others:
        return f"the example does not give {', '.join(sorted(others))}"
    cut = {layer.segmentation for layer in detector.layers}
    segmentation = detector.layers[0].segmentation
    if len(cut) != 1 or not isinstance(segmentation, PolarSegmentation):
        return "its layers are not all cut alike in rings and sectors"
    widths = np.diff(segmentation.r_edges)
    depths = np.diff([layer.depth for layer in detector.layers])
    if segmentation.r_edges[0] != 0 or not np.allclose(widths, widths[0]):
        return "its rings are not of one width from the axis on"
    if not np.allclose(depths, depths[:1]):
        return "its layers are not of one thickness"
    layers = len(detector.layers)
    width = segmentation.r_edges[1] - segmentation.r_edges[0]
    return Cylinder(layers, *segmentation.shape, width, detector.depth / layers)


CYLINDERS: Mapping[str, Callable[[Any], Cylinder | str]] = MappingProxyType(
    {"calorimeter": _of_calorimeter}
)
"""The cylinder of each kind of detector that may have one, or why there is none."""


def macro(cylinder: Cylinder, latent: int, path: Path) -> list[str]:
    """Return the example's commands for this file, to replace those of its own macro."""
    settings = {
        "setSizeLatentVector": latent,
        "setSizeConditionVector": CONDITIONS,
        "setModelPathName": path,
        "setInferenceLibrary": "ONNX",
        "setSizeOfRhoCells": f"{cylinder.ring_width:g} mm",
        "setSizeOfZCells": f"{cylinder.layer_depth:g} mm",
        "setNbOfRhoCells": cylinder.rings,
        "setNbOfPhiCells": cylinder.sectors,
        "setNbOfZCells": cylinder.layers,
    }
    return [f"/Par04/inference/{name} {value}" for name, value in settings.items()]


def write(simulator: TrainedSimulator, path: Path, on_progress: OnProgress = silent) -> str:
    """Write a simulator of a cylinder for Par04, which appears whole or not at all.

    Raises:
        ExportError: the detector is not such a cylinder, or ONNX cannot express the model.
        MissingDependencyError: a package of the extra ``onnx`` is not installed.
    """
    on_progress("writing the graph", 0, 1)
    cylinder = cylinder_of(simulator.detector)
    graph = Par04Graph(copy.deepcopy(simulator.surrogate), cylinder.mesh)
    example = {INPUT: torch.ones(EVENTS, graph.latent + CONDITIONS)}
    model = graph_of(graph, example, [OUTPUT], simulator.card.model_kind)
    with whole_file(path) as part:
        save_graph(model, part)
        size = part.stat().st_size
    on_progress("writing the graph", 1, 1)
    commands = "\n".join(macro(cylinder, graph.latent, path))
    return f"{size / 1e6:.2f} MB; the example's macro needs\n{commands}"
