"""A dense generator as JSON for LWTNN, the reader of networks in the experiments' C++.

The graph takes noise and conditions and gives the cells, in the detector's order, as fractions of
the kinetic energy. A model can be written when it has a method ``chain`` that returns its generator
as a chain of dense layers from noise and conditions, joined, to those fractions.

References:
    https://github.com/lwtnn/lwtnn (v2.14.1): the schema is that of ``parse_json_graph``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import nn

from simulacra import __version__
from simulacra.deploy.lwtnn_check import CHECKED, largest_difference
from simulacra.deploy.lwtnn_inputs import (
    InputNode,
    OwnNoise,
    atlas_nodes,
    atlas_read_out,
    noise_node,
    plain_nodes,
)
from simulacra.deploy.lwtnn_layers import (
    Activation,
    Affine,
    Diagonal,
    Json,
    Nonlinear,
    Softplus,
    Step,
    activation_layer,
    dense_layer,
    diagonal_layer,
    steps_of,
)
from simulacra.errors import ExportError
from simulacra.files.atomic import whole_file
from simulacra.files.digests import PLACEHOLDER, seal
from simulacra.files.progress import OnProgress, silent
from simulacra.simulators.trained import TrainedSimulator
from simulacra.transforms import ConditionEncoder, FractionOfEnergy

OUTPUT = "cells"
SOFTPLUS = (
    (1.9251789969, 0.2998627183),
    (0.0084541998, 4.6902521965),
    (0.2289706923, 1.6729559769),
)
"""Pairs (w, t) for which the sum of w (1 - exp(-t u)) is log(1 + u) within 4e-7 of its value, for u
between 0 and 1: a quadrature of its integral over t, by a minimax fit."""


@runtime_checkable
class DenseModel(Protocol):
    """A model whose generator is a chain of dense layers."""

    def chain(self) -> nn.Sequential:
        """Return it: noise and encoded conditions, joined, to what the transform inverts."""


def write(simulator: TrainedSimulator, path: Path, on_progress: OnProgress = silent) -> str:
    """Write a dense generator as JSON, which appears whole or not at all.

    Before it appears it has answered some hundred events as the network does.

    Raises:
        ExportError: the model is not a chain of dense layers that LWTNN knows, or the graph does
            not agree with the network.
    """
    on_progress("writing the graph", 0, 2)
    graph = graph_of(simulator)
    on_progress("comparing with the network", 1, 2)
    largest = largest_difference(simulator, graph)
    text = json.dumps(graph, separators=(",", ":"), allow_nan=False)
    content = seal(f"{text}\n".encode("ascii"))
    with whole_file(path) as part:
        part.write_bytes(content)
    on_progress("comparing with the network", 2, 2)
    size = len(content)
    names = ", ".join(node["name"] for node in graph["inputs"])
    labels = len(graph["outputs"][OUTPUT]["labels"])
    return (
        f"{size / 1e6:.2f} MB; inputs {names}; {labels} cells as fractions of the energy; largest "
        f"difference from the network in {CHECKED} events: {largest:.1e} of the hottest cell"
    )


def graph_of(simulator: TrainedSimulator) -> Json:
    """Return the graph as it is written.

    Raises:
        ExportError: the model is not a chain of dense layers that LWTNN knows.
    """
    kind, model = simulator.card.model_kind, simulator.surrogate.model
    encoder, transform = simulator.surrogate.encoder, simulator.surrogate.transform
    if not (
        isinstance(model, DenseModel)
        and isinstance(encoder, ConditionEncoder)
        and isinstance(transform, FractionOfEnergy)
    ):
        msg = (
            f"model {kind} cannot be exported to LWTNN: it is not one chain of dense layers from "
            "noise and conditions to cells. ONNX can: --to onnx"
        )
        raise ExportError(msg)
    latent = model.noise_shape(1)[1]
    steps = steps_of(model.chain(), kind)
    nodes = [noise_node(latent)]
    if _inputs(steps) > latent:  # a model that is not conditional takes noise alone
        nodes += condition_nodes(simulator, encoder)
    graph = _Graph(nodes)
    graph.add(_in_order(steps, nodes, latent))
    return graph.to_json(_about(simulator))


def condition_nodes(simulator: TrainedSimulator, encoder: ConditionEncoder) -> list[InputNode]:
    """Return the inputs beside the noise: ATLAS's for its read-out, else one for each condition."""
    atlas = atlas_read_out(simulator.detector)
    return plain_nodes(encoder) if atlas is None else atlas_nodes(encoder, atlas)


def _inputs(steps: list[Step]) -> int:
    """Return how many numbers a chain takes."""
    first = steps[0]
    assert isinstance(first, Affine)
    return int(first.weights.shape[1])


def _in_order(steps: list[Step], nodes: list[InputNode], latent: int) -> list[Step]:
    """Return the steps with the first layer's columns in the order of the input nodes."""
    first = steps[0]
    assert isinstance(first, Affine)
    order = [v.feature for v in nodes[0].variables]
    order += [latent + v.feature for node in nodes[1:] for v in node.variables]
    return [Affine(first.weights[:, order], first.bias), *steps[1:]]


def _about(simulator: TrainedSimulator) -> dict[str, str]:
    """Return what the file says of itself; LWTNN passes over it."""
    detector, model = simulator.detector, simulator.surrogate.model
    atlas = atlas_read_out(detector)
    return {
        "version": __version__,
        "model": simulator.card.model_kind,
        "detector": detector.name,
        "detector_sha256": detector.fingerprint,
        "inputs": "physical units" if atlas is None else "ATLAS DNNCaloSimSvc, GANv0",
        "noise": model.chain_noise if isinstance(model, OwnNoise) else "standard normal",
        "outputs": "fractions of the kinetic energy, in the detector's order of cells",
        "seal": PLACEHOLDER,
        "ranges": json.dumps({name: list(ends) for name, ends in simulator.ranges.items()}),
    }


class _Graph:
    """Nodes and layers as they are added; the last node added is the output."""

    def __init__(self, inputs: list[InputNode]) -> None:
        self.inputs = inputs
        self.nodes: list[Json] = [
            {"type": "input", "sources": [i], "size": len(node.variables)}
            for i, node in enumerate(inputs)
        ]
        self.layers: list[Json] = []
        sources = [self._features(i, node) for i, node in enumerate(inputs)]
        self.nodes.append({"type": "concatenate", "sources": sources})
        self.width = sum(len(node.variables) for node in inputs)

    @property
    def last(self) -> int:
        return len(self.nodes) - 1

    def _features(self, number: int, inputs: InputNode) -> int:
        """Return the node that holds the features of an input node."""
        if inputs.exponential is None:
            return number
        factor, shift = (np.array([value]) for value in inputs.exponential)
        elu = activation_layer({"function": "elu", "alpha": 1.0})  # exp(x) - 1
        self._feed(elu, number)
        self._feed(diagonal_layer(Diagonal(factor, factor + shift)))
        return self.last

    def add(self, steps: list[Step]) -> None:
        """Add a chain of steps after the last node."""
        for i, step in enumerate(steps):
            match step:
                case Affine():
                    self.width = len(step.bias)
                    self._feed(dense_layer(step, _activation_after(steps, i)))
                case Nonlinear() if i == 0 or not isinstance(steps[i - 1], Affine):
                    self._feed(activation_layer(step.activation))
                case Diagonal() if i == 0 or not isinstance(steps[i - 1], Softplus):
                    self._feed(diagonal_layer(step))
                case Softplus():
                    self._add_softplus(_factors_after(steps, i, self.width))
                case _:
                    pass  # it went into the step before

    def _add_softplus(self, outer: Diagonal) -> None:
        """Add softplus, then ``outer``.

        With u = exp(-|x|), softplus(x) = max(x, 0) + log(1 + u), and the logarithm is a sum of
        w (1 - exp(-t u)): both exponentials are those of elu. LWTNN computes what several nodes
        share for each of them anew; it costs time, not digits.
        """
        x, ones = self.last, np.ones(self.width)
        elu = self._layer(activation_layer({"function": "elu", "alpha": 1.0}))
        self._feed(activation_layer("rectified"))
        self._feed(diagonal_layer(outer))
        sums = [self.last]
        self._feed(activation_layer("abs"), x)
        self._feed(diagonal_layer(Diagonal(-ones, 0 * ones)))
        self._node(elu)  # u - 1
        u = self.last
        for weight, rate in SOFTPLUS:
            self._feed(diagonal_layer(Diagonal(-rate * ones, -rate * ones)), u)
            self._node(elu)  # exp(-t u) - 1
            self._feed(diagonal_layer(Diagonal(-weight * outer.factor, 0 * ones)))
            sums.append(self.last)
        self.nodes.append({"type": "add", "sources": sums})

    def _feed(self, layer: Json, source: int | None = None) -> None:
        self._node(self._layer(layer), source)

    def _layer(self, layer: Json) -> int:
        self.layers.append(layer)
        return len(self.layers) - 1

    def _node(self, layer: int, source: int | None = None) -> None:
        source = self.last if source is None else source
        self.nodes.append({"type": "feed_forward", "sources": [source], "layer_index": layer})

    def to_json(self, about: dict[str, str]) -> Json:
        """Return the whole file's content: all five keys that LWTNN asks for, and ours."""
        labels = [str(i) for i in range(self.width)]
        content: dict[str, Any] = {
            "simulacra": about,
            "inputs": [node.to_json() for node in self.inputs],
            "input_sequences": [],
            "nodes": self.nodes,
            "layers": self.layers,
            "outputs": {OUTPUT: {"labels": labels, "node_index": self.last}},
        }
        return content


def _activation_after(steps: list[Step], i: int) -> Activation:
    after = steps[i + 1] if i + 1 < len(steps) else None
    return after.activation if isinstance(after, Nonlinear) else "linear"


def _factors_after(steps: list[Step], i: int, width: int) -> Diagonal:
    after = steps[i + 1] if i + 1 < len(steps) else None
    return after if isinstance(after, Diagonal) else Diagonal(np.ones(width), np.zeros(width))
