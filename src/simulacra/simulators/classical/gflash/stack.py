"""A calorimeter's stack as GFlash sees it: media along the depth, in steps of radiation lengths."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.matter import Medium, medium_of

STEP = 0.5
"""Longest step, radiation lengths."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The stack in steps, none of which crosses the border of a section or of a layer.

    Attributes:
        z: borders from the front, mm (s + 1,).
        t: the same in radiation lengths at normal incidence (s + 1,).
        section: number of the section of each step (s,).
        media: of the sections.
        main: the medium with most radiation lengths, whose showers these are.
    """

    z: FloatArray
    t: FloatArray
    section: IntArray
    media: tuple[Medium, ...]
    main: Medium

    def __len__(self) -> int:
        return len(self.section)

    @property
    def moliere_radius(self) -> FloatArray:
        """Of each step, mm (s,)."""
        radii = np.array([medium.matter.moliere_radius for medium in self.media])
        return radii[self.section]

    @property
    def deposit(self) -> FloatArray:
        """Energy left in a radiation length of a step, relative to the main medium (s,).

        A track loses E_c in a radiation length, whatever the material.
        """
        critical = np.array([medium.matter.critical_energy for medium in self.media])
        relative: FloatArray = critical[self.section] / self.main.matter.critical_energy
        return relative

    @property
    def visible(self) -> FloatArray:
        """Part of the energy of each step that its sensitive plates see (s,)."""
        seen = np.array([medium.sampling_fraction * medium.e_mip for medium in self.media])
        return seen[self.section]


def steps_of(detector: Calorimeter) -> Steps:
    """Return the steps through a stack.

    Raises:
        DetectorError: the composition of a material is not known.
    """
    media = tuple(medium_of(section.slabs, detector.materials) for section in detector.stack)
    depths: dict[Medium, float] = {}
    z, number = [np.zeros(1)], []
    for index, (section, medium) in enumerate(zip(detector.stack, media, strict=True)):
        length = section.thickness / medium.matter.radiation_length
        depths[medium] = depths.get(medium, 0.0) + length
        steps = section.copies * max(math.ceil(length / section.copies / STEP - 1e-9), 1)
        z.append(z[-1][-1] + section.thickness * np.arange(1, steps + 1) / steps)
        number.append(np.full(steps, index))
    borders, sections = np.concatenate(z), np.concatenate(number)
    lengths = np.array([medium.matter.radiation_length for medium in media])[sections]
    t = np.concatenate([[0.0], np.cumsum(np.diff(borders) / lengths)])
    main = max(depths, key=lambda medium: depths[medium])
    return Steps(borders, t, sections, media, main)
