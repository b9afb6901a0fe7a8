"""FastCaloSim's reader in Python: what its C++ does with an exported folder, event by event.

It replays the parts that touch the files: names and shapes of inputs, the order of voxels, the
division into layers, the number of hits of a voxel and where they lie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np
import torch

from simulacra.arrays import Array, FloatArray
from simulacra.deploy.fastcalosim import (
    ABOUT,
    BINS,
    ENERGY,
    ETA,
    ETA_SCALE,
    GRAPH,
    LAYER_NOISE,
    VOXEL_NOISE,
    FastCaloSimGraph,
)
from simulacra.deploy.parity import LARGEST, TINIEST, UNDECIDED
from simulacra.errors import ExportError
from simulacra.simulators.trained import TrainedSimulator

if TYPE_CHECKING:
    import onnxruntime

CHECKED = 100
"""Events of the comparison."""
HIT_ENERGY, MOST_HITS = 4.0, 100
"""MeV of a hit of the reader, and its hits of a voxel at most."""
SMALLEST = float(np.finfo(np.float32).eps)
"""Share of the energy below which the reader makes no hit of a voxel."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits of the reader around the particle, in one event.

    Attributes:
        layer: number of the layer in FastCaloSim (h,).
        radius: mm (h,).
        alpha: rad from the direction of eta (h,).
        energy: MeV (h,).
    """

    layer: Array
    radius: FloatArray
    alpha: FloatArray
    energy: FloatArray


class Reader:
    """The reader with the files of a folder.

    Raises:
        ExportError: the C++ reader would refuse them.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        bins: Mapping[str, Array],
        setup: Mapping[str, Any],
    ) -> None:
        self.session, self.bins = session, bins
        self.boundaries = [int(b) for b in setup["layer_boundaries"]]
        self.layers = [int(n) for n in setup["used_layers"]]
        self.inputs = {i.name: (i.type, i.shape) for i in session.get_inputs()}
        types = {i.type for i in (*session.get_inputs(), *session.get_outputs())}
        if len(types) != 1 or not types <= {"tensor(float)", "tensor(double)"}:
            msg = f"FastCaloSim cannot read the graph: its types are {', '.join(sorted(types))}"
            raise ExportError(msg)
        if len(self.boundaries) != len(self.layers) + 1:
            msg = "FastCaloSim cannot read the setup: there must be a boundary more than layers"
            raise ExportError(msg)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the reader of a folder, on one thread as in FastCaloSim."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(folder / GRAPH, options)
        with h5py.File(folder / BINS) as file:
            bins = {name: np.asarray(file[name], np.float32) for name in file}
        return cls(session, bins, json.loads((folder / ABOUT).read_text(encoding="utf-8")))

    def voxels(self, energy: float, eta: float, noise: tuple[Array, Array]) -> dict[int, float]:
        """Return the energies of the voxels (MeV) by their numbers.

        Args:
            energy: kinetic energy, MeV.
            eta: pseudorapidity of the particle.
            noise: normal numbers (layers,), (voxels,).
        """
        given = {
            ENERGY: np.array([energy]),
            ETA: np.array([abs(eta) * ETA_SCALE]),
            LAYER_NOISE: noise[0],
            VOXEL_NOISE: noise[1],
        }
        feed = {
            name: given[name]
            .astype(np.float32)
            .reshape([n if isinstance(n, int) else 1 for n in s])
            for name, (_, s) in self.inputs.items()
        }
        (output,) = self.session.get_outputs()
        (values,) = self.session.run(None, feed)
        keys = [f"{output.name}_{part}" for part in range(values.size)]
        shared = _common_prefix(keys)
        return {int(k[shared:]): float(v) for k, v in zip(keys, values.ravel(), strict=True)}

    def shares(self, voxels: Mapping[int, float], energy: float) -> dict[int, dict[int, float]]:
        """Return by layer, and by the voxel's place in it, the energies over that of the particle.

        Voxels without energy are left out.
        """
        found: dict[int, dict[int, float]] = {}
        place = 0
        for number in range(self.boundaries[-1]):
            if number == self.boundaries[place + 1]:
                place += 1
            if voxels[number] > 0:
                layer = found.setdefault(self.layers[place], {})
                layer[number - self.boundaries[place]] = voxels[number] / energy
        return found

    def hits(
        self, shares: Mapping[int, Mapping[int, float]], energy: float, rng: np.random.Generator
    ) -> Hits:
        """Return the hits of an event.

        Raises:
            ExportError: a layer has no voxel above 0, of which the C++ reader takes the last one.
        """
        if missing := [n for n in self.layers if n not in shares]:
            msg = f"FastCaloSim would fail: layer {missing[0]} has no voxel above 0"
            raise ExportError(msg)
        parts = []
        for layer, of_layer in shares.items():
            bins, values = np.array(list(of_layer)), np.array(list(of_layer.values()))
            number = np.clip((values * energy / HIT_ENERGY).astype(int), 1, MOST_HITS)
            number[values <= SMALLEST] = 0
            chosen = np.repeat(np.arange(len(bins)), number)
            place = bins[chosen]
            radius, alpha = (
                self.bins[f"binstart_{q}_layer_{layer}"][place].astype(float)
                + rng.random(len(place)) * self.bins[f"binsize_{q}_layer_{layer}"][place]
                for q in ("radius", "alpha")
            )
            each = (values * energy / np.maximum(number, 1))[chosen]
            parts.append(np.column_stack([np.full(len(place), layer), radius, alpha, each]))
        layer_, radius, alpha, each = np.concatenate(parts).T
        return Hits(layer_.astype(int), radius, alpha, each)


def _common_prefix(keys: list[str]) -> int:
    """Return the length of what the reader cuts from the names of outputs."""
    match = re.match(r".*_(?=\d+$)", keys[0])
    return match.end() if match else 0


def largest_difference(simulator: TrainedSimulator, graph: FastCaloSimGraph, folder: Path) -> float:
    """Return how far the reader's voxels are from the network's, over the hottest of the event.

    Raises:
        ExportError: they differ by more than single precision explains.
    """
    reader, rng = Reader.load(folder), np.random.default_rng(1)
    low, high = simulator.ranges["energy"]
    differences = []
    for energy in np.geomspace(low, high, CHECKED):
        eta = float(np.arcsinh(np.tan(rng.uniform(*simulator.ranges.get("theta", (0.0, 0.0))))))
        noise = tuple(
            rng.standard_normal(reader.inputs[name][1][1]).astype(np.float32)
            for name in (LAYER_NOISE, VOXEL_NOISE)
        )
        found = reader.voxels(energy, eta, noise)
        given = [np.array([energy]), np.array([eta * ETA_SCALE]), *noise]
        tensors = [torch.from_numpy(a.astype(np.float32))[None] for a in given]
        with torch.inference_mode():
            expected = graph(*tensors)[0].numpy()
        away = np.abs(np.array([found[i] for i in range(len(expected))]) - expected).max()
        differences.append(float(away / max(expected.max(), TINIEST)))
    ordered = np.sort(differences)[: CHECKED - round(UNDECIDED * CHECKED)]
    if ordered[-1] > LARGEST:
        msg = (
            "the graph does not agree with the network: its voxels differ by "
            f"{ordered[-1]:.1e} of the hottest one"
        )
        raise ExportError(msg)
    return float(ordered[-1])
