"""The chunks of a job that are not made yet, and how many events are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from simulacra.engines.parts import Parts
from simulacra.errors import SimulacraError
from simulacra.files.progress import OnProgress


class Tally:
    """Count events and report them.

    Args:
        phase: the name of the work in reports.
        bounds: the rows of each chunk.
        on_progress: called with (phase, events done, events in all).
    """

    def __init__(self, phase: str, bounds: Sequence[slice], on_progress: OnProgress) -> None:
        self._sizes = [rows.stop - rows.start for rows in bounds]
        self._phase, self._on_progress, self.done = phase, on_progress, 0

    def add(self, numbers: Iterable[int]) -> None:
        """Add the events of chunks."""
        self.done += sum(self._sizes[number] for number in numbers)
        self._on_progress(self._phase, self.done, sum(self._sizes))


def complete_parts(
    parts: Parts,
    bounds: Sequence[slice],
    made: Callable[[list[int]], Iterator[int]],
    phase: str,
    on_progress: OnProgress,
) -> None:
    """Have all chunks made that do not lie in the folder.

    Args:
        parts: where finished chunks are kept.
        bounds: the rows of each chunk.
        made: stores chunks in the folder, and yields the number of each that is there.
        phase: the name of the work in reports.
        on_progress: called with (phase, events done, events in all).

    Raises:
        SimulacraError: a chunk cannot be made; finished ones are kept.
    """
    every = range(len(bounds))
    pending = parts.missing(every)
    tally = Tally(phase, bounds, on_progress)
    tally.add(set(every).difference(pending))
    try:
        for number in made(pending):
            tally.add([number])
    except SimulacraError as error:
        if not tally.done:
            raise
        msg = f"{error}; the same call continues from {parts.folder}"
        raise type(error)(msg) from None
