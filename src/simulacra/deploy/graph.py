"""A torch module as an ONNX graph of standard operators, for any number of events."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from simulacra import __version__
from simulacra.deploy.operators import precise_operators
from simulacra.errors import ExportError, MissingDependencyError
from simulacra.files.digests import PLACEHOLDER, seal
from simulacra.runtime.operators import DOMAINS, OPERATORS

if TYPE_CHECKING:
    from torch.export import ExportedProgram

OPSET, IR_VERSION = 18, 8
"""The oldest that torch writes natively, and its format: ONNX Runtime reads it from 1.14 on."""
EVENTS = 3
"""In the example that is traced: any number but 1, which would be taken for the only one."""
CHATTY = (
    "torch.onnx._internal.exporter._registration",  # regrets that torchvision is not installed
    "onnxscript.optimizer._constant_folding",  # says which operators it leaves as they are
)
OnnxModel = Any  # onnx_ir's model
_OPERATOR = re.compile(r"No ONNX function found for <OpOverload\(op='([^']+)'")


def graph_of(
    module: nn.Module, example: dict[str, Tensor], outputs: Sequence[str], kind: str
) -> OnnxModel:
    """Return a module as an ONNX model.

    Args:
        module: its inputs and outputs have the event as their first axis.
        example: the inputs by name, in order, for :data:`EVENTS` events.
        outputs: names of the outputs, in order.
        kind: what the module is, for messages.

    Raises:
        ExportError: the module does something that ONNX cannot express; the message says what.
        MissingDependencyError: a package of the extra ``onnx`` is not installed.
    """
    _require_packages()
    with _quiet():
        program = _traced(module.eval(), tuple(example.values()), kind)
        model = _translated(program, list(example), list(outputs), kind)
        _tidy(model)
    _require_standard_operators(model, kind)
    return model


def save_graph(model: OnnxModel, path: Path) -> None:
    """Write a model, checked by ONNX's own rules, with its digest; equal models, equal bytes."""
    import onnx
    import onnx_ir

    model.metadata_props["seal"] = PLACEHOLDER
    content = onnx_ir.to_proto(model)
    onnx.checker.check_model(content)
    path.write_bytes(seal(content.SerializeToString(deterministic=True)))


def _require_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        msg = f"export to ONNX needs {error.name}: pip install 'simulacra[onnx]'"
        raise MissingDependencyError(msg) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters from telling users what concerns their makers."""
    loggers = [logging.getLogger(name) for name in CHATTY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _traced(module: nn.Module, example: tuple[Tensor, ...], kind: str) -> ExportedProgram:
    """Return the module as torch's own graph, for any number of events."""
    shapes = tuple({0: torch.export.Dim("batch")} for _ in example)
    try:
        return torch.export.export(module, example, dynamic_shapes=shapes, strict=False)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        msg = f"model {kind} cannot be exported: torch.export cannot trace it: {_first_line(error)}"
        raise ExportError(msg) from error


def _translated(
    program: ExportedProgram, inputs: list[str], outputs: list[str], kind: str
) -> OnnxModel:
    """Return torch's graph as ONNX's.

    The exporter's own optimisation stays off: its rewriting rules take a factor of 0.999998 for 1.
    """
    try:
        translated = torch.onnx.export(
            program,
            dynamo=True,
            input_names=inputs,
            output_names=outputs,
            opset_version=OPSET,
            external_data=False,
            optimize=False,
            verbose=False,
            custom_translation_table=precise_operators(),
        )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(_untranslated(error, kind)) from error
    assert translated is not None
    return translated.model


def _untranslated(error: BaseException, kind: str) -> str:
    cause: BaseException | None = error
    while cause is not None:
        found = _OPERATOR.search(str(cause))
        if found is not None:
            return f"model {kind} cannot be exported to ONNX: operator {found[1]} has no ONNX form"
        cause = cause.__cause__
    return f"model {kind} cannot be exported to ONNX: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _tidy(model: OnnxModel) -> None:
    """Compute what is constant, and drop what is unused, repeated, or tells of this machine."""
    import onnx_ir.passes.common as passes
    from onnxscript import optimizer

    optimizer.fold_constants(model, onnx_shape_inference=False)
    for step in (
        passes.InlinePass(),
        passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        passes.CommonSubexpressionEliminationPass(),
        passes.IdentityEliminationPass(),
        passes.DeduplicateInitializersPass(),
        passes.RemoveUnusedNodesPass(),
        passes.RemoveUnusedOpsetsPass(),
        passes.ClearMetadataAndDocStringPass(),
    ):
        step(model)
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "simulacra", __version__


def _require_standard_operators(model: OnnxModel, kind: str) -> None:
    for node in model.graph:
        if node.domain not in DOMAINS or node.op_type not in OPERATORS:
            msg = (
                f"model {kind} cannot be exported to ONNX: operator "
                f"{'::'.join(filter(None, (node.domain, node.op_type)))} is not in the standard "
                "set, or takes control flow or chance"
            )
            raise ExportError(msg)
