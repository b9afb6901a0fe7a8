"""The state of a training's run as named tensors, as checkpoints hold it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from simulacra.files.tensors import Part, below_prefix, restore, state_of, with_prefix
from simulacra.training.batches import Batches
from simulacra.training.layers import continue_numbers


def state_of_run(
    step: int, rng: torch.Generator, parts: Mapping[str, Part], batches: Batches
) -> dict[str, Tensor]:
    """Return everything that a run's future depends on."""
    numbers = {"step": torch.tensor(step), "rng": rng.get_state()}
    return {**numbers, **state_of(parts), **with_prefix("batches", batches.state())}


def restored_step(
    tensors: Mapping[str, Tensor],
    rng: torch.Generator,
    seed: int,
    parts: Mapping[str, Part],
    batches: Batches,
) -> int:
    """Put a run into a state of :func:`state_of_run`, and return its step.

    Raises:
        SimulatorError: the state is of another network.
    """
    step = int(tensors["step"])
    restore(parts, tensors)
    continue_numbers(rng, tensors["rng"], seed, step)
    batches.restore(below_prefix("batches", tensors))
    return step
