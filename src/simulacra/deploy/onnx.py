"""A trained simulator as one ONNX file: conditions in physical units and noise to a response.

The whole chain is inside, the preprocessing and the way back, in operators of the standard set. The
file needs nothing else, and says of itself what it takes and gives
(:class:`simulacra.runtime.Contract`).
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from simulacra.deploy.contract import contract_of
from simulacra.deploy.graph import EVENTS, OPSET, graph_of, save_graph
from simulacra.deploy.parity import Parity, compare, rounding, typical_conditions
from simulacra.errors import ExportError
from simulacra.files.atomic import whole_file
from simulacra.files.progress import OnProgress, silent
from simulacra.models.surrogate import Surrogate
from simulacra.runtime import Runtime
from simulacra.runtime.contract import CONDITIONS, KEY, NOISE
from simulacra.simulators.trained import TrainedSimulator

CHECKED = 256
"""Events that a new file has to answer as torch does."""


class _Ordered(nn.Module):
    """A surrogate whose outputs have an order."""

    def __init__(self, surrogate: Surrogate, names: list[str]) -> None:
        super().__init__()
        self.surrogate = surrogate
        self.names = names

    def forward(self, conditions: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        response = self.surrogate(conditions, noise)
        return tuple(response[name] for name in self.names)


def write(simulator: TrainedSimulator, path: Path, on_progress: OnProgress = silent) -> str:
    """Write a trained simulator as one ONNX file, which appears whole or not at all.

    Before it appears it has answered some hundred events as torch does.

    Raises:
        ExportError: the model does something that ONNX cannot express, or the file does not agree
            with torch; the message says what.
        MissingDependencyError: a package of the extra ``onnx`` is not installed.
    """
    on_progress("writing the graph", 0, 2)
    contract = contract_of(simulator)
    outputs = [output.name for output in contract.outputs]
    surrogate = copy.deepcopy(simulator.surrogate)
    example = {
        CONDITIONS: torch.ones(EVENTS, len(contract.columns)),
        NOISE: torch.zeros(EVENTS, *contract.noise),
    }
    model = graph_of(_Ordered(surrogate, outputs), example, outputs, contract.model)
    model.metadata_props[KEY] = contract.to_json()
    with whole_file(path) as part:
        save_graph(model, part)
        on_progress("comparing with torch", 1, 2)
        parity = _checked(simulator.surrogate, part)
        size = part.stat().st_size
    on_progress("comparing with torch", 2, 2)
    return (
        f"{size / 1e6:.2f} MB, opset {OPSET}; largest difference from torch in {parity.events} "
        f"events: {parity.largest:.1e} of the event's largest value; {parity.undecided} left out, "
        "not decided by single precision"
    )


def _checked(surrogate: Surrogate, path: Path) -> Parity:
    """Return how a file that was just written agrees with torch.

    Raises:
        ExportError: it does not.
    """
    runtime = Runtime.load(path)
    conditions = typical_conditions(runtime.contract, CHECKED, seed=1)
    parity = compare(surrogate, runtime, conditions)
    if not parity.agrees:
        own = rounding(surrogate, conditions)
        msg = (
            f"model {runtime.contract.model} cannot be exported to ONNX: the file's answers differ "
            f"from torch's by {parity.largest:.1e} of the event's largest value, and "
            f"{parity.undecided} of {parity.events} events are not decided by single precision; "
            f"torch's own is off by {own:.1e}"
        )
        raise ExportError(msg)
    return parity
