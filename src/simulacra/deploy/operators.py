"""ONNX forms of operators whose usual translation loses small numbers, costs more, or is wrong.

Responses hang on small numbers: a far cell is a sigmoid of -12, the logarithm of a probability is
taken of what is nearly one. torch keeps the leading digits of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

OnnxValue = Any  # onnxscript's own types do not know that numbers become constants


def precise_operators() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return the forms by torch's operators, for ``torch.onnx.export``."""
    import torch

    aten = torch.ops.aten
    return {
        aten.conv3d.default: aten_conv3d,
        aten.expm1.default: aten_expm1,
        aten.log1p.default: aten_log1p,
        aten.sigmoid.default: aten_sigmoid,
        aten.silu.default: aten_silu,
        aten.softplus.default: aten_softplus,
    }


def aten_conv3d(
    x: OnnxValue,
    weight: OnnxValue,
    bias: OnnxValue = None,
    stride: Sequence[int] = (1, 1, 1),
    padding: Sequence[int] = (0, 0, 0),
    dilation: Sequence[int] = (1, 1, 1),
    groups: int = 1,
) -> OnnxValue:
    """Return a convolution; where there is no bias, the usual translation adds one of two axes."""
    inputs = (x, weight) if bias is None else (x, weight, bias)
    return _opset().Conv(
        *inputs,
        strides=list(stride),
        pads=[*padding, *padding],
        dilations=list(dilation),
        group=groups,
    )


def aten_expm1(x: OnnxValue) -> OnnxValue:
    """Return e^x - 1 = tanh(x/2) (e^x + 1); ONNX has no such operator, and e^x - 1 cancels."""
    op = _opset()
    one, half = op.Constant(value_float=1.0), op.Constant(value_float=0.5)
    return op.Mul(op.Tanh(op.Mul(x, half)), op.Add(op.Exp(x), one))


def aten_log1p(x: OnnxValue) -> OnnxValue:
    """Return log(1 + x), for which ONNX has no operator.

    With w = 1 + x as rounded, it is log(w) and what rounding took away, (x - (w - 1)) / w: that is
    x where w is 1, and right to the last digits elsewhere.
    """
    op = _opset()
    one = op.Constant(value_float=1.0)
    rounded = op.Add(x, one)
    lost = op.Sub(x, op.Sub(rounded, one))
    return op.Add(op.Log(rounded), op.Div(lost, rounded))


def aten_sigmoid(x: OnnxValue) -> OnnxValue:
    """Return 1 / (1 + e^-x); ONNX Runtime's own has an absolute error of 1e-7, however small."""
    op = _opset()
    return op.Reciprocal(op.Add(op.Exp(op.Neg(x)), op.Constant(value_float=1.0)))


def aten_silu(x: OnnxValue) -> OnnxValue:
    """Return x / (1 + e^-x), by the same exact sigmoid: networks of it lose a digit otherwise."""
    op = _opset()
    return op.Div(x, op.Add(op.Exp(op.Neg(x)), op.Constant(value_float=1.0)))


def aten_softplus(x: OnnxValue, beta: float = 1.0, threshold: float = 20.0) -> OnnxValue:  # noqa: ARG001
    """Return log(1 + e^(beta x)) / beta; torch's threshold saves work and changes no digit.

    As max(x, 0) + log(1 + e^-|x|), whose operators ONNX Runtime computes for whole vectors; its own
    Softplus goes number by number and takes three times as long.
    """
    op = _opset()
    factor = op.Constant(value_float=beta)
    scaled = x if beta == 1.0 else op.Mul(x, factor)
    found = op.Add(op.Relu(scaled), aten_log1p(op.Exp(op.Neg(op.Abs(scaled)))))
    return found if beta == 1.0 else op.Div(found, factor)


def _opset() -> OnnxValue:
    from onnxscript import opset18

    return opset18
