"""A tracker as thin cylinders of matter in a field, some of which measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from simulacra.detectors.base import Frozen
from simulacra.detectors.calorimeter.ionisation import ionisation
from simulacra.detectors.calorimeter.matter import Matter, matter_of
from simulacra.errors import CardError, DetectorError
from simulacra.files.yaml_text import one_line_errors, parse_yaml
from simulacra.smearing.card import card_text
from simulacra.units import Length, MagneticField

PositiveLength = Annotated[Length, Field(gt=0)]


class TrackerLayer(Frozen):
    """A cylinder around the beam, crossed as a surface.

    Attributes:
        name: of the layer.
        radius, half_length: mm.
        material: one of Geant4's names whose composition and loss are known.
        thickness: crossed along the radius, mm.
        resolution: along the circle and along the beam, mm; None: it does not measure.
        efficiency: of a hit.
    """

    name: str
    radius: PositiveLength
    half_length: PositiveLength
    material: str
    thickness: Annotated[Length, Field(ge=0)]
    resolution: tuple[Length, Length] | None = None
    efficiency: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _known_matter(self) -> TrackerLayer:
        try:
            matter_of(self.material, {})
        except DetectorError as error:
            raise ValueError(str(error)) from None
        if ionisation(self.material, {}) is None:
            msg = f"the minimum ionisation of {self.material} is not known"
            raise ValueError(msg)
        return self

    @property
    def matter(self) -> Matter:
        """Constants of the material."""
        return matter_of(self.material, {})

    @property
    def minimum_loss(self) -> float:
        """Mean loss of a minimum-ionising particle, MeV/mm."""
        return ionisation(self.material, {}) or 0.0


class Tracker(Frozen):
    """Layers from the inside out in a uniform field along +z (T)."""

    name: str
    description: str = ""
    source: str = ""
    field: MagneticField
    layers: tuple[TrackerLayer, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ascending(self) -> Tracker:
        if np.any(np.diff([layer.radius for layer in self.layers]) <= 0):
            msg = "layers: radii ascend from layer to layer"
            raise ValueError(msg)
        return self


def load_tracker(card: Tracker | str | Path) -> Tracker:
    """Return a tracker: itself, a shipped one by its name, or a YAML file.

    Raises:
        CardError: there is none, or a key or value is wrong.

    Example:
        >>> [layer.radius for layer in load_tracker("idea-vertex").layers][:3]
        [10.0, 13.7, 23.7]
    """
    if isinstance(card, Tracker):
        return card
    text = card_text(card, "trackers")
    with one_line_errors(str(card), CardError):
        return Tracker.model_validate(parse_yaml(text))
