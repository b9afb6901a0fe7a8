"""A trained simulator as one ONNX file: conditions in physical units and noise to a response.

The whole chain is inside, the preprocessing and the way back, in operators of the standard set. The
file needs nothing else, and says of itself what it takes and gives
(:class:`simulacra.runtime.Contract`).
"""

from __future__ import annotations

import copy
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from simulacra import __version__
from simulacra.atomic import whole_file
from simulacra.deploy.contract import contract_of
from simulacra.deploy.operators import precise_operators
from simulacra.deploy.parity import Parity, compare, typical_conditions
from simulacra.errors import ExportError, MissingDependencyError
from simulacra.runtime import Runtime
from simulacra.runtime.contract import CONDITIONS, KEY, NOISE
from simulacra.simulator import TrainedSimulator
from simulacra.surrogate import Surrogate

if TYPE_CHECKING:
    from torch.export import ExportedProgram

OPSET, IR_VERSION = 18, 8
"""The oldest that torch writes natively, and its format: ONNX Runtime reads it from 1.14 on."""
CHECKED = 256
"""Events that a new file has to answer as torch does."""
OnnxModel = Any  # onnx_ir's model
_OPERATOR = re.compile(r"No ONNX function found for <OpOverload\(op='([^']+)'")


class _Graph(nn.Module):
    """A surrogate whose outputs have an order."""

    def __init__(self, surrogate: Surrogate) -> None:
        super().__init__()
        self.surrogate = surrogate
        self.names = list(surrogate.detector.response_arrays)

    def forward(self, conditions: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        response = self.surrogate(conditions, noise)
        return tuple(response[name] for name in self.names)


def write(simulator: TrainedSimulator, path: Path) -> str:
    """Write a trained simulator as one ONNX file, which appears whole or not at all.

    Before it appears it has answered some hundred events as torch does.

    Raises:
        ExportError: the model does something that ONNX cannot express, or the file does not agree
            with torch; the message says what.
        MissingDependencyError: a package of the extra ``onnx`` is not installed.
    """
    _require_packages()
    contract = contract_of(simulator)
    graph = _Graph(copy.deepcopy(simulator.surrogate)).eval()
    with _quiet():
        model = _translated(_traced(graph, contract.model), graph.names, contract.model)
        _tidied(model)
    _require_standard_operators(model, contract.model)
    model.metadata_props[KEY] = contract.to_json()
    with whole_file(path) as part:
        _save(model, part)
        parity = _checked(simulator.surrogate, part)
        size = part.stat().st_size
    return (
        f"{size / 1e6:.2f} MB, opset {OPSET}; largest difference from torch in {parity.events} "
        f"events: {parity.largest:.1e} of the event's largest value"
    )


def _checked(surrogate: Surrogate, path: Path) -> Parity:
    """Return how a file that was just written agrees with torch.

    Raises:
        ExportError: it does not.
    """
    runtime = Runtime.load(path)
    parity = compare(surrogate, runtime, typical_conditions(runtime.contract, CHECKED, seed=1))
    if not parity.agrees:
        msg = (
            f"model {runtime.contract.model} cannot be exported to ONNX: the file's answers differ "
            f"from torch's by {parity.largest:.1e} of the event's largest value, and in "
            f"{parity.undecided} of {parity.events} events in what is zero"
        )
        raise ExportError(msg)
    return parity


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
    """Keep torch's exporter from telling users what concerns its makers."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it regrets that torchvision is not installed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _traced(graph: _Graph, kind: str) -> ExportedProgram:
    """Return the graph as torch's own, for any number of events."""
    events = 3  # any number but 1, which tracing would take for the only one
    encoder, model = graph.surrogate.encoder, graph.surrogate.model
    conditions = torch.ones(events, len(encoder.names))
    noise = torch.zeros(model.noise_shape(events))
    batch = {0: torch.export.Dim("batch")}
    try:
        return torch.export.export(
            graph, (conditions, noise), dynamic_shapes=(batch, batch), strict=False
        )
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        msg = f"model {kind} cannot be exported: torch.export cannot trace it: {_first_line(error)}"
        raise ExportError(msg) from error


def _translated(program: ExportedProgram, outputs: list[str], kind: str) -> OnnxModel:
    """Return torch's graph as ONNX's.

    The exporter's own optimisation stays off: its rewriting rules take a factor of 0.999998 for 1.
    """
    try:
        translated = torch.onnx.export(
            program,
            dynamo=True,
            input_names=[CONDITIONS, NOISE],
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


def _tidied(model: OnnxModel) -> None:
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
        if node.domain not in ("", "ai.onnx"):
            msg = (
                f"model {kind} cannot be exported to ONNX: operator {node.domain}::{node.op_type} "
                "is not in the standard set"
            )
            raise ExportError(msg)


def _save(model: OnnxModel, path: Path) -> None:
    import onnx
    import onnx_ir

    content = onnx_ir.to_proto(model)
    onnx.checker.check_model(content)
    path.write_bytes(content.SerializeToString(deterministic=True))
