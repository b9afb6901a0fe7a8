"""How long work shows itself: a callable that is given the phase, and how much of it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
OnProgress = Callable[[str, int, int], None]
"""Called with the name of a phase, how many of its parts are done, and how many it has."""


def silent(_phase: str, _done: int, _total: int) -> None:
    """Show nothing: the library's default."""


def tracked(phase: str, items: Sequence[Item], on_progress: OnProgress) -> Iterator[Item]:
    """Yield the items of a phase; report before each, and after the last.

    Example:
        >>> for number in tracked("counting", [7, 8], print):
        ...     pass
        counting 0 2
        counting 1 2
        counting 2 2
    """
    for done, item in enumerate(items):
        on_progress(phase, done, len(items))
        yield item
    on_progress(phase, len(items), len(items))
