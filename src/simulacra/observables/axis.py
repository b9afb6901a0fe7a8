"""How the values of an observable are spread out: linearly, as logarithms, or linear in the core.

What spans decades says nothing in bins of equal width: a pion that decays in flight is a hundred
times further from its helix than the others, and all of these would share one bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulacra.arrays import FloatArray

SMALLEST = 1e-12
"""What stands for values from which no logarithm can be taken, in the observable's unit."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis on which histograms, distances and classifiers see an observable.

    Attributes:
        kind: ``linear``; ``log`` for positive values, log10; ``arsinh`` for values of either sign.
        core: where arsinh turns from linear to logarithmic, in the observable's unit.
    """

    kind: Literal["linear", "log", "arsinh"] = "linear"
    core: float = 1.0

    def places(self, values: FloatArray) -> FloatArray:
        """Return where values lie on the axis; the values themselves where it is linear."""
        if self.kind == "log":
            return np.log10(np.maximum(values, SMALLEST))  # keeps nan
        return np.arcsinh(values / self.core) if self.kind == "arsinh" else values

    def values(self, places: FloatArray) -> FloatArray:
        """Return the values at places on the axis."""
        if self.kind == "log":
            return 10.0**places
        return self.core * np.sinh(places) if self.kind == "arsinh" else places


LINEAR = Axis()
LOG = Axis("log")
