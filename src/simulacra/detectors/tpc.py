"""A time-projection chamber as data: gas, field, drift and pad rows."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulacra.detectors.base import DetectorBase, Frozen, ResponseArray
from simulacra.units import Density, Length, MagneticField


class PadRows(Frozen):
    """Consecutive pad rows of equal pitch (mm) from ``inner_radius`` (mm, the first row's edge)."""

    name: str
    rows: int = Field(ge=1)
    inner_radius: Annotated[Length, Field(gt=0)]
    pitch: Annotated[Length, Field(gt=0)]
    pad_width: Annotated[Length, Field(gt=0)]


class Gas(Frozen):
    """The drift gas: density and volume fractions of its components."""

    density: Density
    fractions: dict[str, float]


class Tpc(DetectorBase):
    """A chamber whose response is at most one cluster (x, y, z, q, q_max) per pad row."""

    kind: Literal["tpc"]
    gas: Gas
    magnetic_field: MagneticField
    drift_length: Annotated[Length, Field(gt=0)]
    pad_rows: tuple[PadRows, ...] = Field(min_length=1)

    @property
    def row_radii(self) -> NDArray[np.float64]:
        """Radius of each pad row's middle in mm, from the inside out."""
        return np.concatenate(
            [p.inner_radius + p.pitch * (np.arange(p.rows) + 0.5) for p in self.pad_rows]
        )

    @property
    def response_arrays(self) -> dict[str, ResponseArray]:
        """The arrays of an event: ``clusters`` (rows, 5) and ``cluster_mask`` (rows,)."""
        rows = sum(p.rows for p in self.pad_rows)
        return {
            "clusters": ResponseArray((rows, 5), "mm, mm, mm, ADC, ADC"),
            "cluster_mask": ResponseArray((rows,), ""),
        }
