"""Chains of dense layers as the layers of LWTNN, with everything affine folded together.

LWTNN computes in double precision, and so does the folding; what is written has single precision.

References:
    The layers and activations are those of LWTNN v2.14.1's reader (lwtnn/lwtnn on GitHub).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from simulacra.arrays import FloatArray
from simulacra.errors import ExportError
from simulacra.models.blocks.networks import Factors, TrainableSwish

Json = dict[str, Any]
Activation = str | dict[str, object]


@dataclass(frozen=True, slots=True)
class Affine:
    """y = weights x + bias: weights (outputs, inputs), bias (outputs,)."""

    weights: FloatArray
    bias: FloatArray


@dataclass(frozen=True, slots=True)
class Diagonal:
    """y = factor x + shift, feature by feature: both (features,)."""

    factor: FloatArray
    shift: FloatArray


@dataclass(frozen=True, slots=True)
class Nonlinear:
    """An activation that LWTNN knows."""

    activation: Activation


@dataclass(frozen=True, slots=True)
class Softplus:
    """log(1 + e^x), which LWTNN does not know; the graph spells it."""


Step = Affine | Diagonal | Nonlinear | Softplus


def _float64(tensor: Tensor) -> FloatArray:
    return tensor.detach().double().cpu().numpy()


def _linear(module: nn.Linear) -> Step:
    bias = torch.zeros(module.out_features) if module.bias is None else module.bias
    return Affine(_float64(module.weight), _float64(bias))


def _batch_norm(module: nn.BatchNorm1d) -> Step:
    if module.running_mean is None or module.running_var is None:
        msg = "BatchNorm1d without running statistics depends on the batch"
        raise ExportError(msg)
    factor = 1 / np.sqrt(_float64(module.running_var) + module.eps)
    if module.affine:
        factor = factor * _float64(module.weight)
    shift = -_float64(module.running_mean) * factor
    return Diagonal(factor, shift + _float64(module.bias) if module.affine else shift)


def _factors(module: Factors) -> Step:
    factor = _float64(module.factors)
    return Diagonal(factor, np.zeros_like(factor))


def _with_alpha(function: str, alpha: float) -> Step:
    """Return an activation with its parameter; without one LWTNN's would be NaN."""
    return Nonlinear({"function": function, "alpha": alpha})


STEPS: dict[type[nn.Module], Callable[[Any], Step | None]] = {
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    Factors: _factors,
    TrainableSwish: lambda module: _with_alpha("swish", _shortest(module.beta.item())),
    nn.SiLU: lambda _: _with_alpha("swish", 1.0),
    nn.ELU: lambda module: _with_alpha("elu", module.alpha),
    nn.LeakyReLU: lambda module: _with_alpha("leakyrelu", module.negative_slope),
    nn.ReLU: lambda _: Nonlinear("rectified"),
    nn.Sigmoid: lambda _: Nonlinear("sigmoid"),
    nn.Tanh: lambda _: Nonlinear("tanh"),
    nn.Softplus: lambda _: Softplus(),
    nn.Dropout: lambda _: None,
    nn.Identity: lambda _: None,
}
"""What each kind of layer becomes, or None where nothing is left of it after training."""


def steps_of(chain: Iterable[nn.Module], model: str) -> list[Step]:
    """Return a chain of layers as steps, affine ones folded together.

    Raises:
        ExportError: a layer has no form in LWTNN; the message names it.
    """
    steps: list[Step] = []
    for module in chain:
        if type(module) not in STEPS:
            msg = (
                f"model {model} cannot be exported to LWTNN: its reader has no layer "
                f"{type(module).__name__}; it has dense ones. ONNX can: --to onnx"
            )
            raise ExportError(msg)
        step = STEPS[type(module)](module)
        if step is not None:
            _append(steps, step)
    return steps


def _append(steps: list[Step], step: Step) -> None:
    """Add a step, folded into the one before where that is exact."""
    before = steps[-1] if steps else None
    match before, step:
        case Affine(weights, bias), Diagonal(factor, shift):
            steps[-1] = Affine(factor[:, None] * weights, factor * bias + shift)
        case Diagonal(factor, shift), Affine(weights, bias):
            steps[-1] = Affine(weights * factor, weights @ shift + bias)
        case Diagonal(factor, shift), Diagonal(then, after):
            steps[-1] = Diagonal(then * factor, then * shift + after)
        case Affine(weights, bias), Affine(then, after):
            steps[-1] = Affine(then @ weights, then @ bias + after)
        case Nonlinear("rectified"), Diagonal(factor, shift) if (
            np.all(factor > 0) and not shift.any()
        ):  # max(x, 0) s = max(x s, 0)
            steps.pop()
            _append(steps, step)
            steps.append(Nonlinear("rectified"))
        case _:
            steps.append(step)


def dense_layer(step: Affine, activation: Activation = "linear") -> Json:
    """Return a dense layer."""
    return {
        "architecture": "dense",
        "weights": numbers(step.weights),
        "bias": numbers(step.bias),
        "activation": activation,
    }


def activation_layer(activation: Activation) -> Json:
    """Return an activation alone: a dense layer without weights."""
    return {"architecture": "dense", "weights": [], "bias": [], "activation": activation}


def diagonal_layer(step: Diagonal) -> Json:
    """Return a layer that takes each feature by itself; LWTNN's y = weight (x + bias)."""
    if not np.all(step.factor):
        return dense_layer(Affine(np.diag(step.factor), step.shift))
    return {
        "architecture": "normalization",
        "weights": numbers(step.factor),
        "bias": numbers(step.shift / step.factor),
    }


def numbers(array: FloatArray) -> list[float]:
    """Return an array row by row, each number with the fewest digits of single precision."""
    flat = array.astype(np.float32).ravel()
    if not np.all(np.isfinite(flat)):
        msg = "the weights hold numbers that are not finite, which LWTNN cannot read"
        raise ExportError(msg)
    return [_shortest(value) for value in flat]


def _shortest(value: float | np.float32) -> float:
    return float(str(np.float32(value)))
