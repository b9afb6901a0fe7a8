"""Where calorimeters stand in the world, how particles enter them, and the cells that they have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.beam import limits
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.detectors.calorimeter.stack import Tube
from simulacra.errors import CardError
from simulacra.fullsim.calorimeter.readout import SectionReadout, section_readouts, window_starts
from simulacra.hybrid.rules import SMALL_ANGLE, Entries
from simulacra.particles import PDG

ON_FACE = 1e-6
"""How far from the front face Geant4 may leave a particle that has reached it, mm."""

STRAIGHT = 1e-9
"""Sine of the angle to the normal below which a direction has no azimuth; it counts as 0."""


@dataclass(frozen=True)
class Region:
    """A calorimeter in the world: an envelope whose front face particles enter.

    Attributes:
        name: what rules and the output call it.
        detector: the calorimeter.
        position: the middle of its front face in the world, mm.
        turn: by how much it is turned around the world's y axis, rad; unturned, it looks along +z.
        readout: ``layers``: all cells of its layers; ``window``: those around the impact.
    """

    name: str
    detector: Calorimeter
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: float = 0.0
    readout: Literal["layers", "window"] = "layers"

    def __post_init__(self) -> None:
        for layer in self.detector.layers:
            cut = layer.segmentation
            if isinstance(cut, PolarSegmentation) and cut.squares is not None:
                msg = (
                    f"region {self.name}: the voxels of {self.detector.name} follow one particle; "
                    "a hybrid run needs cells that stand still"
                )
                raise CardError(msg)

    @cached_property
    def axes(self) -> FloatArray:
        """The region's own x, y and z axes in the world, the columns of a matrix."""
        c, s = math.cos(self.turn), math.sin(self.turn)
        return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])

    @property
    def centre(self) -> FloatArray:
        """The middle of the whole stack in the world, mm."""
        centre: FloatArray = np.asarray(self.position) + self.axes[:, 2] * self.detector.depth / 2
        return centre

    @cached_property
    def corners(self) -> FloatArray:
        """The corners of a box around the stack in the world (8, 3), mm."""
        half_x, half_y = self.detector.volume.half_width
        box = itertools.product((-half_x, half_x), (-half_y, half_y), (0.0, self.detector.depth))
        corners: FloatArray = np.array(list(box)) @ self.axes.T + np.asarray(self.position)
        return corners

    @cached_property
    def layers(self) -> Calorimeter:
        """The same calorimeter, all cells of all layers read out, whatever the impact."""
        return whole_layers(self.detector)

    @cached_property
    def sections(self) -> tuple[SectionReadout, ...]:
        """The read-out of all cells, section by section."""
        return section_readouts(self.layers)

    @cached_property
    def windows(self) -> tuple[SectionReadout, ...]:
        """The detector's own read-out, section by section."""
        return section_readouts(self.detector)

    def entries(
        self, pdg: IntArray, energy: FloatArray, points: FloatArray, directions: FloatArray
    ) -> tuple[BoolArray, Entries]:
        """Return which particles fly straight into the front face, and how all of them cross it.

        Args:
            pdg: PDG ids (n,).
            energy: kinetic energies (n,), MeV.
            points: where they are in the world (n, 3), mm.
            directions: unit vectors (n, 3).
        """
        point = (points - np.asarray(self.position)) @ self.axes
        direction = directions @ self.axes
        forward = direction[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            path = -point[:, 2] / forward
            x, y = (point[:, axis] + path * direction[:, axis] for axis in (0, 1))
        aside = np.hypot(direction[:, 0], direction[:, 1])
        margin = np.nan_to_num(self._margin(x, y), nan=-np.inf)
        angle, theta = np.arctan2(aside, forward), np.arctan2(direction[:, 0], forward)
        phi = np.where(aside > STRAIGHT, np.arctan2(direction[:, 1], direction[:, 0]), 0.0)
        entries = Entries(pdg, energy, x, y, angle, theta, margin, phi)
        return (forward > 0) & (point[:, 2] <= ON_FACE) & (margin >= 0), entries

    def _margin(self, x: FloatArray, y: FloatArray) -> FloatArray:
        volume = self.detector.volume
        if isinstance(volume, Tube):
            margin: FloatArray = volume.radius - np.hypot(x, y)
            return margin
        half_x, half_y = volume.half_width
        return np.minimum(half_x - np.abs(x), half_y - np.abs(y))

    def on_face(self, point: FloatArray) -> bool:
        """Return whether a point (3,) of the world lies in the plane of the front face."""
        distance = (point - np.asarray(self.position)) @ self.axes[:, 2]
        return abs(float(distance)) <= ON_FACE

    # --- the read-out around an impact ---------------------------------------------------------

    @property
    def known_conditions(self) -> tuple[str, ...]:
        """The conditions of the detector that are known of a particle that enters it."""
        one = np.zeros(1)
        entry = Entries(np.zeros(1, np.int64), *[one] * 7)
        return tuple(self.conditions(entry).columns)

    def conditions(self, entries: Entries, declared: Collection[str] | None = None) -> Conditions:
        """Return conditions of particles that enter the detector.

        Args:
            entries: the particles.
            declared: the conditions that are asked for, those of a simulator that learned several
                particles; by default those that the detector declares.
        """
        declared = self.detector.conditions if declared is None else declared
        columns: dict[str, Array] = {"energy": entries.energy.astype(np.float32)}
        columns |= self.detector.locate(entries.x, entries.y)
        if "theta" in self.detector.conditions:
            columns["theta"] = self._angles(entries).astype(np.float32)
        if "phi" in self.detector.conditions:
            columns["phi"] = entries.phi.astype(np.float32)
        if PDG in declared:
            columns[PDG] = entries.pdg.astype(np.int32)
        return Conditions(columns)

    def _angles(self, entries: Entries) -> FloatArray:
        """Return ``theta`` as the detector means it (n,): in its x-z plane, or to the normal."""
        in_plane = limits(self.detector.beam.phi) == (0.0, 0.0)
        return (
            entries.theta if in_plane and "phi" not in self.detector.conditions else entries.angle
        )

    def is_described(self, entries: Entries, conditions: Conditions) -> BoolArray:
        """Return whose directions their conditions say (n,), to within 1 mrad where they try to.

        Without an azimuth they say angles in one plane only. A detector whose conditions hold no
        angle leaves angles to the rules.
        """
        if not {"theta", "phi"} & set(self.detector.conditions):
            return np.ones(len(entries), bool)
        return self.flies_as_told(entries, conditions)

    def flies_as_told(self, entries: Entries, conditions: Conditions) -> BoolArray:
        """Return who flies as the beam and their conditions say (n,), to within 1 mrad."""
        told = self.detector.directions(conditions.columns)
        flown = entries.directions
        away = np.linalg.norm(np.cross(told, flown), axis=1)
        within: BoolArray = (away <= np.sin(SMALL_ANGLE)) & (np.sum(told * flown, axis=1) > 0)
        return within

    def is_read_out(self, entries: Entries) -> BoolArray:
        """Return whose impacts the detector's read-out fits (n,).

        Windows must lie within the layers. Cells that stand still are all read out; where the
        conditions say nothing of the impact along an axis, it must be that of the beam.
        """
        x, y, fits = entries.x, entries.y, np.ones(len(entries), bool)
        detector = self.detector
        if not detector.has_windows:
            for axis, value, law in zip(
                detector.axes, (x, y), (detector.beam.x, detector.beam.y), strict=True
            ):
                if axis not in detector.declared_axes:
                    low, high = limits(law)
                    fits &= (value >= low - ON_FACE) & (value <= high + ON_FACE)
            return fits
        for section, readout in zip(self.detector.readout_sections, self.windows, strict=True):
            starts = self.detector.window_start(section, x, y)
            for start, count, size in zip(starts, readout.window, readout.grid, strict=True):
                fits &= (start >= 0) & (start + count <= size)
        return fits

    def cells(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Return the places (n, cells) of the detector's cells among all cells of its layers.

        The impacts x and y (n,) are in mm.

        Raises:
            DetectorError: a window leaves its layer.
        """
        starts = window_starts(self.detector, x, y)
        parts = []
        for number, (window, whole) in enumerate(zip(self.windows, self.sections, strict=True)):
            copy, row, column = np.indices((window.copies, *window.window)).reshape(3, -1)
            rows = starts[:, number, :1] + row
            columns = starts[:, number, 1:] + column
            layer = copy * math.prod(whole.grid)
            parts.append(whole.cells.start + layer + rows * whole.grid[1] + columns)
        return np.concatenate(parts, axis=1)


def whole_layers(detector: Calorimeter) -> Calorimeter:
    """Return a calorimeter that reads out all cells of the layers of another."""
    content = detector.model_dump()
    content["name"] = f"{detector.name}-layers"
    content["description"] = f"all cells of the layers of {detector.name}"
    content["reference"] = None
    content["conditions"] = {"energy": content["conditions"]["energy"]}
    content["beam"] = {}  # particles come from anywhere: no condition says where
    for section in content["stack"]:
        if section["readout"] is not None:
            section["readout"]["segmentation"].pop("window", None)
    return Calorimeter.model_validate(content)


def require_apart(regions: Sequence[Region]) -> None:
    """Raise a :class:`CardError` where two regions overlap or touch.

    Particles that go from one to another are met in the vacuum between them.
    """
    for one, other in itertools.combinations(regions, 2):
        # Two boxes turned around y are apart where the projections on an edge's direction are.
        axes = np.vstack([one.axes.T, other.axes.T])
        spans = [(r.corners @ axes.T).min(axis=0) for r in (one, other)]
        ends = [(r.corners @ axes.T).max(axis=0) for r in (one, other)]
        gaps = np.maximum(spans[0] - ends[1], spans[1] - ends[0])
        if gaps.max() <= ON_FACE:
            msg = f"regions {one.name} and {other.name} overlap or touch: leave a gap between them"
            raise CardError(msg)
