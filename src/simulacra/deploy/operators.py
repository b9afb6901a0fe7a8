"""ONNX forms of operators whose usual translation loses small numbers in single precision.

Responses hang on small numbers: a far cell is a sigmoid of -12, the logarithm of a probability is
taken of what is nearly one. torch keeps the leading digits of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OnnxValue = Any  # onnxscript's own types do not know that numbers become constants


def precise_operators() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return the forms by torch's operators, for ``torch.onnx.export``."""
    import torch

    aten = torch.ops.aten
    return {aten.expm1.default: aten_expm1, aten.sigmoid.default: aten_sigmoid}


def aten_expm1(x: OnnxValue) -> OnnxValue:
    """Return e^x - 1 = tanh(x/2) (e^x + 1); ONNX has no such operator, and e^x - 1 cancels."""
    op = _opset()
    one, half = op.CastLike(1.0, x), op.CastLike(0.5, x)
    return op.Mul(op.Tanh(op.Mul(x, half)), op.Add(op.Exp(x), one))


def aten_sigmoid(x: OnnxValue) -> OnnxValue:
    """Return 1 / (1 + e^-x); ONNX Runtime's own has an absolute error of 1e-7, however small."""
    op = _opset()
    return op.Reciprocal(op.Add(op.Exp(op.Neg(x)), op.CastLike(1.0, x)))


def _opset() -> OnnxValue:
    from onnxscript import opset18

    return opset18
