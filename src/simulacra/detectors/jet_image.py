"""A jet image as data: transverse momentum in square pixels around the jet's axis."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulacra.detectors.base import Detector, ResponseArray


class JetImage(Detector):
    """A square image of ``pixels`` x ``pixels`` that spans +-``half_width`` in eta and phi."""

    kind: Literal["jet-image"]
    pixels: int = Field(ge=1, le=3000)
    half_width: float = Field(gt=0)

    @property
    def scale(self) -> str:
        """The jet's transverse momentum."""
        return "transverse_momentum"

    @property
    def pixel_centres(self) -> NDArray[np.float64]:
        """Centres of the pixels along one axis, in pseudorapidity or rad."""
        edges = np.linspace(-self.half_width, self.half_width, self.pixels + 1)
        centres: NDArray[np.float64] = (edges[1:] + edges[:-1]) / 2
        return centres

    @property
    def response_arrays(self) -> dict[str, ResponseArray]:
        """The arrays of an event: ``images`` (pixels, pixels)."""
        return {"images": ResponseArray((self.pixels, self.pixels), "GeV")}

    def built_facts(self) -> dict[str, Any]:
        """Return what the image is."""
        size = f"{self.pixels} x {self.pixels}"
        return {"image": f"{size} pixels to ±{self.half_width:g} in eta and phi"}
