"""Tensors and JSON-like facts in one safetensors file: nothing that loads can execute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from simulacra.errors import SimulacraError, SimulatorError
from simulacra.files.atomic import whole_file
from simulacra.files.digests import PLACEHOLDER, require_intact, seal
from simulacra.files.memory import require_room

COPIES = 3
"""How often a file's content is in memory while it is read."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write named tensors and JSON-like facts; the file appears whole or not at all."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with whole_file(path) as part:
        about = {"facts": json.dumps(facts, sort_keys=True), "seal": PLACEHOLDER}
        part.write_bytes(seal(save(contiguous, about)))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and facts of a file.

    Raises:
        SimulatorError: the file is missing or damaged.
    """
    try:
        require_room(COPIES * path.stat().st_size, f"{path.stat().st_size / 1e6:.3g} MB of weights")
        content = path.read_bytes()
        require_intact(content)
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        facts = json.loads(header.get("__metadata__", {}).get("facts", "{}"))
        if not isinstance(facts, dict):
            msg = "its facts are none"
            raise SimulatorError(msg)
    except (OSError, SafetensorError, SimulacraError, ValueError, RecursionError) as error:
        msg = f"{path}: not a readable tensor file: {error}"
        raise SimulatorError(msg) from None
    return tensors, facts


def with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors with ``prefix/`` before every name."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def below_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with ``prefix/``, without it."""
    start = f"{prefix}/"
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


Part = nn.Module | torch.optim.Optimizer | torch.Generator
"""What a training run is made of: everything that its future depends on beside the step."""


def state_of(parts: Mapping[str, Part]) -> dict[str, Tensor]:
    """Return the state of named parts as named tensors."""
    tensors: dict[str, Tensor] = {}
    for name, part in parts.items():
        if isinstance(part, torch.Generator):
            tensors[name] = part.get_state()
        elif isinstance(part, torch.optim.Optimizer):
            tensors |= with_prefix(name, optimiser_tensors(part))
        else:
            tensors |= with_prefix(name, part.state_dict())
    return tensors


def restore(parts: Mapping[str, Part], tensors: Mapping[str, Tensor]) -> None:
    """Put the state of :func:`state_of` back into parts of the same kind and size.

    Raises:
        SimulatorError: the tensors are not of such parts.
    """
    try:
        for name, part in parts.items():
            if isinstance(part, torch.Generator):
                part.set_state(tensors[name])
            elif isinstance(part, torch.optim.Optimizer):
                restore_optimiser(part, below_prefix(name, tensors))
            else:
                part.load_state_dict(below_prefix(name, tensors))
    except (IndexError, KeyError, RuntimeError) as error:
        msg = f"the checkpoint does not fit the card: {error}"
        raise SimulatorError(msg) from None


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimiser's state as flat named tensors."""
    state = optimiser.state_dict()["state"]
    return {
        f"{index}/{name}": torch.as_tensor(value)
        for index, values in state.items()
        for name, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the state of :func:`optimiser_tensors` back into an optimiser of equal parameters.

    Moments get their parameters' layout in memory, which a file does not keep: fused updates go
    through both element by element as they lie there.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition("/")
        parameter = parameters[int(index)]
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict(
        {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
    )
