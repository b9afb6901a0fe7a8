"""What Geant4 leaves in the gas: the deposits of one event, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Deposits:
    """Energy that is spread evenly along n straight steps.

    Attributes:
        start, stop: the ends of each step (n, 3), mm.
        energy: what was deposited (n,), MeV.
        time: since the collision, at the start of the step (n,), ns.
        track: number of the track in its event (n,); 1 is the particle itself.
    """

    start: FloatArray
    stop: FloatArray
    energy: FloatArray
    time: FloatArray
    track: IntArray

    @classmethod
    def of_steps(cls, steps: Sequence[tuple[float, ...]]) -> Self:
        """Return the deposits of steps (x, y, z, x, y, z, energy, time, track number)."""
        table = np.array(steps, np.float64).reshape(-1, 9)
        return cls(
            table[:, :3], table[:, 3:6], table[:, 6], table[:, 7], table[:, 8].astype(np.int64)
        )

    def __len__(self) -> int:
        return len(self.energy)

    def take(self, index: Array) -> Self:
        """Return the deposits of an index or a Boolean mask."""
        return type(self)(
            self.start[index],
            self.stop[index],
            self.energy[index],
            self.time[index],
            self.track[index],
        )
