"""What a calorimeter is built from: a volume, and sections of plates along the beam."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simulacra.detectors.base import Frozen
from simulacra.detectors.calorimeter.segmentation import Segmentation
from simulacra.units import Density, Energy, Length, Time

VACUUM = "G4_Galactic"
"""The material of sections that stand for a read-out whose matter is not known."""


class Box(Frozen):
    """A stack of rectangular plates, ``width`` (x, y) in mm."""

    kind: Literal["box"]
    width: tuple[Length, Length]

    @property
    def half_width(self) -> tuple[float, float]:
        """Half the extent along x and y, mm."""
        return self.width[0] / 2, self.width[1] / 2


class Tube(Frozen):
    """A stack of round plates, radius in mm."""

    kind: Literal["tube"]
    radius: Length

    @property
    def half_width(self) -> tuple[float, float]:
        """Half the extent along x and y, mm."""
        return self.radius, self.radius


class Material(Frozen):
    """A mixture of NIST materials by mass fraction."""

    density: Density
    fractions: dict[str, float]

    @model_validator(mode="after")
    def _fractions_sum_to_one(self) -> Self:
        if abs(sum(self.fractions.values()) - 1) > 1e-6:
            msg = "mass fractions must sum to 1"
            raise ValueError(msg)
        return self


class Slab(Frozen):
    """One plate: a NIST material (``G4_Pb``) or one declared under ``materials``."""

    material: str
    thickness: Annotated[Length, Field(gt=0)]
    sensitive: bool = False


class Readout(Frozen):
    """How the sensitive slabs of a section become cells.

    The energy of a cell is what was deposited in its sensitive slabs over ``sampling_fraction``.

    Attributes:
        segmentation: how the layers are cut into cells.
        sampling_fraction: the part of the energy that the sensitive slabs see.
        each: whether every repetition of the section is a layer.
        time_cut: deposits count until so many ns after light from where the particle starts would
            have arrived; None: at any time.
        hit_threshold: energy of a cell in MeV, on the scale of the response, above which it counts
            as hit; None: by what a minimum-ionising particle leaves.
    """

    segmentation: Segmentation
    sampling_fraction: float = Field(default=1.0, gt=0, le=1)
    each: bool = False
    time_cut: Annotated[Time, Field(gt=0)] | None = None
    hit_threshold: Annotated[Energy, Field(gt=0)] | None = None


class Section(Frozen):
    """Slabs along the beam, ``repeat`` times."""

    name: str
    slabs: tuple[Slab, ...] = Field(min_length=1)
    repeat: int = Field(default=1, ge=1)
    readout: Readout | None = None

    @model_validator(mode="after")
    def _readout_needs_sensitive_slabs(self) -> Self:
        if (self.readout is not None) != any(slab.sensitive for slab in self.slabs):
            msg = f"section {self.name}: 'readout' and sensitive slabs go together"
            raise ValueError(msg)
        return self

    @property
    def sensitive(self) -> tuple[Slab, ...]:
        """The sensitive slabs of one repetition."""
        return tuple(slab for slab in self.slabs if slab.sensitive)

    @property
    def copies(self) -> int:
        """How many layers of cells the section is."""
        return self.repeat if self.readout is not None and self.readout.each else 1

    @property
    def period(self) -> float:
        """Thickness of one repetition in mm."""
        return sum(slab.thickness for slab in self.slabs)

    @property
    def thickness(self) -> float:
        """Thickness in mm."""
        return self.period * self.repeat
