"""LWTNN's graphs in NumPy: what its C++ reader (v2.14.1) does, with its strictness and its traps.

Everything is computed in double precision, as there. Inputs may be columns: one number per event.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from simulacra.arrays import FloatArray
from simulacra.errors import ExportError, SimulatorError
from simulacra.files.digests import require_intact
from simulacra.files.small_files import parse_object, read_small

Json = dict[str, Any]
Inputs = Mapping[str, Mapping[str, ArrayLike]]
"""Numbers by input node and variable: single ones, or columns (n,)."""

LARGEST = 200_000_000
"""Bytes of a file: fifty times what the largest of ours has; as Python objects it takes eight times
as many."""


def _require(holds: bool, message: str) -> None:
    if not holds:
        msg = f"LWTNN cannot read the graph: {message}"
        raise ExportError(msg)


def _get(content: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    _require(key in content, f"no {key}")
    return content[key]


def _activation(entry: str | Json) -> tuple[str, float]:
    """Return name and parameter; a bare name leaves the parameter NaN, except elu's."""
    if isinstance(entry, dict):
        return _get(entry, "function"), float(_get(entry, "alpha"))
    return entry, 1.0 if entry == "elu" else math.nan


def _sigmoid(x: FloatArray) -> FloatArray:
    exact = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return np.where(x < -30, 0.0, np.where(x > 30, 1.0, exact))


def _softmax(x: FloatArray) -> FloatArray:
    e: FloatArray = np.exp(x - x.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    return e


def _swish(x: FloatArray, alpha: float) -> FloatArray:
    return x * _sigmoid(alpha * x) if not math.isnan(alpha) else x * alpha


FUNCTIONS: dict[str, Callable[[FloatArray, float], FloatArray]] = {
    "linear": lambda x, _: x,
    "sigmoid": lambda x, _: _sigmoid(x),
    "rectified": lambda x, _: np.maximum(x, 0),
    "softmax": lambda x, _: _softmax(x),
    "tanh": lambda x, _: np.tanh(x),
    "hard_sigmoid": lambda x, _: np.clip(0.2 * x + 0.5, 0, 1),
    "abs": lambda x, _: np.abs(x),
    "elu": lambda x, alpha: np.where(x >= 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1)),
    "leakyrelu": lambda x, alpha: np.where(x > 0, x, alpha * x),
    "swish": _swish,
}


def _weights(layer: Json) -> tuple[FloatArray, FloatArray]:
    weights, bias = (np.array(_get(layer, key), np.float64) for key in ("weights", "bias"))
    return weights, bias


def _dense(layer: Json, x: FloatArray) -> FloatArray:
    weights, bias = _weights(layer)
    if weights.size:
        whole = weights.size % x.shape[1] == 0
        _require(whole, "matrix elements not divisible by number of columns")
        x = x @ weights.reshape(-1, x.shape[1]).T
    if bias.size:
        _require(bias.size == x.shape[1], "bias of the wrong size")
        x = x + bias
    name, alpha = _activation(_get(layer, "activation"))
    _require(name in FUNCTIONS, f"activation function {name} not recognized")
    return FUNCTIONS[name](x, alpha)


def _normalization(layer: Json, x: FloatArray) -> FloatArray:
    weights, bias = _weights(layer)
    same = weights.size == bias.size == x.shape[1]
    _require(same, "weights and bias layer are not equal in size")
    return weights * (x + bias)


LAYERS = {"dense": _dense, "normalization": _normalization}


class Graph:
    """A graph, read from the content of its JSON file.

    Attributes:
        about: what a file of ours says of itself.

    Raises:
        ExportError: the C++ reader would throw.
    """

    def __init__(self, content: Json) -> None:
        self.about: Json = dict(content.get("simulacra", {}))
        self.inputs: list[Json] = _get(content, "inputs")
        _require(not _get(content, "input_sequences"), "sequences are not read here")
        self.nodes: list[Json] = _get(content, "nodes")
        self.layers: list[Json] = _get(content, "layers")
        self.outputs: dict[str, Json] = _get(content, "outputs")
        for layer in self.layers:
            _require(_get(layer, "architecture") in LAYERS, "architecture not implemented")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a JSON file; of those that were written here, the digest must agree.

        Raises:
            SimulatorError: there is no such file, it is too large, was changed, or is no JSON.
            ExportError: the C++ reader would throw.
        """
        path = Path(path)
        if not path.is_file():
            msg = f"no LWTNN file {path}"
            raise SimulatorError(msg)
        content = read_small(path, SimulatorError, LARGEST)
        try:
            require_intact(content)
            return cls(parse_object(content))
        except (ValueError, TypeError, LookupError, AttributeError, SimulatorError) as error:
            msg = f"{path}: {error}"
            raise SimulatorError(msg) from None

    def compute(self, inputs: Inputs, output: str | None = None) -> dict[str, FloatArray]:
        """Return the outputs by label (n,) for ``inputs[node][variable]``, single or (n,).

        Raises:
            ExportError: the C++ reader would throw.
        """
        if output is None:
            (output,) = self.outputs
        node, labels = self.outputs[output]["node_index"], self.outputs[output]["labels"]
        values = self._node(node, [self._encoded(entry, inputs) for entry in self.inputs], {})
        enough = len(labels) <= values.shape[1]
        _require(enough, "more labels than outputs: read out of bounds there")
        return {label: values[:, i] for i, label in enumerate(labels)}  # too few: silently dropped

    def _encoded(self, entry: Json, inputs: Inputs) -> FloatArray:
        columns, given = [], inputs.get(entry["name"], {})
        for variable in _get(entry, "variables"):
            name = _get(variable, "name")
            _require(name in given, f"no input {entry['name']} {name}")
            value = np.atleast_1d(np.asarray(given[name], np.float64))
            columns.append((value + _get(variable, "offset")) * _get(variable, "scale"))
        return np.stack(columns, axis=1)

    def _node(
        self, number: int, encoded: list[FloatArray], known: dict[int, FloatArray]
    ) -> FloatArray:
        if number not in known:
            known[number] = self._computed(self.nodes[number], encoded, known)
        return known[number]

    def _computed(
        self, node: Json, encoded: list[FloatArray], known: dict[int, FloatArray]
    ) -> FloatArray:
        kind, sources = _get(node, "type"), _get(node, "sources")
        if kind == "input":
            vector: FloatArray = encoded[sources[0]]
            _require(vector.shape[1] == _get(node, "size"), "vector of the wrong length")
            return vector
        before = [self._node(source, encoded, known) for source in sources]
        if kind == "concatenate":
            return np.concatenate(before, axis=1)
        if kind == "add":
            return sum(before[1:], before[0])
        _require(kind == "feed_forward", "unknown node type")
        layer = self.layers[_get(node, "layer_index")]
        found: FloatArray = LAYERS[layer["architecture"]](layer, before[0])
        return found
