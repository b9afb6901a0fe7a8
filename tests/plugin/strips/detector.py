"""A row of counters."""

from typing import Literal

import numpy as np

from simulacra.detectors import Detector, ResponseArray


class StripCounter(Detector):
    kind: Literal["strip-counter"]
    strips: int

    @property
    def scale(self):
        return "energy"

    @property
    def response_arrays(self):
        return {"charge": ResponseArray((self.strips,), "MeV")}

    def draw(self, values, rng):
        return {"energy": np.asarray(values)}
