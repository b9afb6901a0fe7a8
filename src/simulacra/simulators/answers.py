"""What a simulator answers, block by block: checked, joined to events or passed on in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulacra.arrays import Array, filled
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import SimulatorError
from simulacra.events import Events

Block = Mapping[str, Array]
"""Response arrays of some events, one after another."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to conditions, not yet computed; they can be taken once.

    Attributes:
        conditions: one row for each event.
        blocks: their response, in order.
        detector: whose response it is.
        provenance: how the events are made.
    """

    conditions: Conditions
    blocks: Iterable[Block]
    detector: Detector
    provenance: Mapping[str, Any]

    def whole(self) -> Events:
        """Return all events.

        Raises:
            SimulatorError: an answer is not finite, or negative where there is no sign.
        """
        arrays = self.detector.response_arrays
        response = filled(self._possible(), len(self.conditions), arrays)
        return Events(self.conditions, response, self.detector, self.provenance)

    def pieces(self) -> Iterator[Events]:
        """Yield the events in pieces as they come; one empty piece where there are none.

        Raises:
            SimulatorError: an answer is not finite, or negative where there is no sign.
        """
        start = 0
        for block in self._possible():
            stop = start + len(next(iter(block.values())))
            rows = self.conditions.take(slice(start, stop))
            yield Events(rows, block, self.detector, self.provenance)
            start = stop
        if not len(self.conditions):
            yield self.whole()

    def _possible(self) -> Iterator[Block]:
        """Yield the blocks as long as they can be a response."""
        for block in self.blocks:
            for name, array in self.detector.response_arrays.items():
                values = block[name]
                wrong = {"not finite": ~np.isfinite(values), "negative": array.negative(values)}
                for what, where in wrong.items():
                    if where.any():
                        msg = (
                            f"the simulator's answers are {what} in {np.count_nonzero(where)} "
                            f"numbers of {name}: its training failed, or it is asked for what it "
                            "cannot do"
                        )
                        raise SimulatorError(msg)
            yield block
