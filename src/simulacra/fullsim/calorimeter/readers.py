"""What reads a section out, event by event: cells that stand still, or that follow the particle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.detectors.calorimeter.stack import Box, Section
from simulacra.fullsim.calorimeter.readout import SectionReadout, section_readouts
from simulacra.fullsim.setup import Primaries


class Reader(Protocol):
    """Turns the scores of one section into the cells of the response."""

    @property
    def readout(self) -> SectionReadout:
        """Where the section's cells stand in the response."""

    def aim(self, primaries: Primaries, seeds: IntArray) -> None:
        """Prepare for the events of these particles; Geant4 starts from the same ``seeds``."""

    def read(self, event: int, index: IntArray, energy: FloatArray) -> FloatArray:
        """Return the energies (cells,) of the section's cells, MeV.

        Args:
            event: which of the particles it was.
            index: flat indices of the scored cells in (grid, copies).
            energy: what was deposited in them, MeV.
        """


@dataclass(slots=True)
class WindowReader:
    """Cells of the layers, in a window around the impact or all of them."""

    detector: Calorimeter
    section: Section
    readout: SectionReadout
    _starts: IntArray = field(default_factory=lambda: np.empty((0, 2), np.int64))

    def aim(self, primaries: Primaries, seeds: IntArray) -> None:  # noqa: ARG002
        """Find where the windows start."""
        x, y = _on_front(primaries)
        self._starts = np.column_stack(self.detector.window_start(self.section, x, y))

    def read(self, event: int, index: IntArray, energy: FloatArray) -> FloatArray:
        """Return the energies (cells,), MeV."""
        first, second = self._starts[event].tolist()
        return self.readout.read(index, energy, (first, second))


@dataclass(slots=True)
class VoxelReader:
    """Rings around the particle's line, from squares that Geant4 scored.

    A square counts for the voxel that a random point of it lies in, in each event another: on
    average for each voxel as much as the voxel covers of it, wherever the line and the squares lie.
    In layer after layer the rings stay in the layer's plane, around the point where the line
    crosses the middle of the layer.

    Attributes:
        width: of the stack (x, y), mm.
        depths: of the layers' middles from the front, mm (copies,).
    """

    readout: SectionReadout
    segmentation: PolarSegmentation
    width: tuple[float, float]
    depths: FloatArray
    _lines: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    _seeds: tuple[int, ...] = ()

    def aim(self, primaries: Primaries, seeds: IntArray) -> None:
        """Find the particles' lines: where they cross the front, and their slopes (n, 4)."""
        self._seeds = tuple(seeds.ravel().tolist())
        slopes = primaries.direction[:, :2] / primaries.direction[:, 2:]
        self._lines = np.column_stack([*_on_front(primaries), slopes])

    def read(self, event: int, index: IntArray, energy: FloatArray) -> FloatArray:
        """Return the energies (cells,), MeV."""
        square, copy = np.divmod(index, self.readout.copies)
        place = np.divmod(square, self.readout.grid[1])
        size, line = self.segmentation.scored, self._lines[event]
        assert size is not None
        points = self._stream(event).random((2, len(index)))
        away = [
            (place[axis] + points[axis]) * size
            - self.width[axis] / 2
            - (line[axis] + line[axis + 2] * self.depths[copy])
            for axis in (0, 1)
        ]
        cell = self.segmentation.cells_at(away[0], away[1])
        inside = cell >= 0
        alpha, rings = self.segmentation.shape
        flat = (copy * alpha * rings + cell)[inside]
        deposited = np.bincount(flat, energy[inside], self.readout.copies * alpha * rings)
        return deposited / self.readout.sampling_fraction

    def _stream(self, event: int) -> np.random.Generator:
        key = event, self.readout.cells.start
        return np.random.default_rng(np.random.SeedSequence(self._seeds, spawn_key=key))


def section_readers(detector: Calorimeter) -> tuple[Reader, ...]:
    """Return what reads out each section, along the beam."""
    sections = zip(detector.readout_sections, section_readouts(detector), strict=True)
    return tuple(_reader(detector, section, readout) for section, readout in sections)


def _reader(detector: Calorimeter, section: Section, readout: SectionReadout) -> Reader:
    assert section.readout is not None
    segmentation = section.readout.segmentation
    if not isinstance(segmentation, PolarSegmentation) or segmentation.squares is None:
        return WindowReader(detector, section, readout)
    assert isinstance(detector.volume, Box)
    span = range(readout.cells.start, readout.cells.stop)
    depths = [layer.depth for layer in detector.layers if layer.cells.start in span]
    return VoxelReader(readout, segmentation, detector.volume.width, np.array(depths))


def _on_front(primaries: Primaries) -> tuple[FloatArray, FloatArray]:
    """Return where the particles' lines cross z = 0 (n,), mm."""
    path = -primaries.position[:, 2] / primaries.direction[:, 2]
    x, y, _ = (primaries.position + path[:, None] * primaries.direction).T
    return x, y
