"""What some networks need of a loop: where training stands, random numbers of their own, bounds.

All are functions of the step or the weights alone, so that a resumed run needs no state of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from simulacra.models import Clipped, Growing


def set_progress(network: nn.Module, fraction: float) -> None:
    """Tell a network that grows which part of the training is done, from 0 to 1."""
    if isinstance(network, Growing):
        network.set_progress(fraction)


def clip(critics: nn.Module) -> None:
    """Bring the weights of critics that have bounds back within them."""
    if isinstance(critics, Clipped):
        critics.clip()


def in_single(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return loss terms, which may come in bfloat16, in single precision."""
    return {name: value.float() for name, value in terms.items()}


@contextmanager
def own_random_numbers(seed: int, step: int, device: torch.device, rank: int = 0) -> Iterator[None]:
    """Let layers that draw from torch's global generators, as dropout does, draw from a step's own.

    The global generators are put back afterwards.

    Args:
        seed: of the run.
        step: the run's step.
        device: where the layers draw.
        rank: the process; each has numbers of its own.
    """
    own = [rank] if rank else []
    (number,) = np.random.SeedSequence([seed, step, *own]).generate_state(1)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(number))
        yield


def continue_numbers(rng: torch.Generator, state: Tensor, seed: int, step: int) -> None:
    """Put a generator back to a state; on another kind of device, begin a sequence at this step.

    Args:
        rng: the generator.
        state: of a generator on this or on another kind of device.
        seed: of the run.
        step: the run's step.
    """
    if state.shape == rng.get_state().shape:
        rng.set_state(state)
    else:
        (number,) = np.random.SeedSequence([seed, step], spawn_key=(0,)).generate_state(1)
        rng.manual_seed(int(number))
