"""Networks that would not fit into the memory are refused before it is taken."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from simulacra.files.memory import require_room

BYTES = 4
"""Of a number."""
_MAKERS = {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full}
_LINES = {torch.arange, torch.linspace}


class Bounded(TorchFunctionMode):
    """Within it, the tensors that are made must fit into half of the memory, all together.

    Raises:
        SimulacraError: they do not; nothing of the one that is too large has been made.
    """

    def __init__(self) -> None:
        super().__init__()
        self._size = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 - as torch has it
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function gives
        """Count what a function is about to make, then call it."""
        kwargs = kwargs or {}
        if func in _MAKERS or func in _LINES:
            self._size += BYTES * _numbers(func, args, kwargs)
            require_room(self._size, "the network")
        return func(*args, **kwargs)


def _numbers(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Return how many numbers a call makes."""
    if func in _LINES:
        ends = [abs(number) for number in args if isinstance(number, int | float)]
        return int(max(ends, default=0))
    size = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
    return math.prod(number for number in size if isinstance(number, int))
