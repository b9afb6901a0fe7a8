"""A calorimeter's stack as Geant4 volumes: nested replicas whose copy numbers are cell indices.

Every sensitive plate holds divisions of the first axis that hold divisions of the second, so that
Geant4's own scorers find a cell by its copy numbers and no Python runs for a step:
world / section / period / slab / row (x or ring) / cell (y or sector). Detectors that share a world
lie in an envelope each: world / envelope / section / …
"""

from __future__ import annotations

import math
from itertools import pairwise

from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation, Segmentation
from simulacra.detectors.calorimeter.stack import VACUUM, Box, Section, Tube
from simulacra.errors import DetectorError
from simulacra.fullsim.datasets import Geant4Object

MARGIN = 10.0  # mm of vacuum around the stack

# How many volumes up from the cell, in the order of the list above.
CELL, ROW, SLAB, PERIOD = range(4)


class World:
    """Builds the volumes of one calorimeter and keeps them alive, which Geant4's bindings do not.

    Attributes:
        cells: the logical volumes to score, by section; those of one section add up.
        volumes: all logical volumes, cells included.
    """

    def __init__(self, g4: Geant4Object, detector: Calorimeter) -> None:
        self._g4 = g4
        self._detector = detector
        self._alive: list[Geant4Object] = []
        self.volumes: list[Geant4Object] = []
        self._materials: dict[str, Geant4Object] = {}
        self.cells: dict[str, list[Geant4Object]] = {s.name: [] for s in detector.readout_sections}

    def build(self) -> Geant4Object:
        """Return the world's physical volume, the stack from z = 0 inside it.

        Raises:
            DetectorError: Geant4 does not know a material.
        """
        g4, detector = self._g4, self._detector
        half_x, half_y = detector.volume.half_width
        half_z = max(detector.depth, abs(detector.beam.z)) + MARGIN
        solid = g4.G4Box("world", half_x + MARGIN, half_y + MARGIN, half_z)
        world = self._logical("world", solid, VACUUM)
        top = self._keep(g4.G4PVPlacement(None, g4.G4ThreeVector(), world, "world", None, False, 0))
        self._stack(world, 0.0)
        return top

    def envelope(self) -> Geant4Object:
        """Return the stack by itself as a logical volume, to be placed in a world.

        Raises:
            DetectorError: Geant4 does not know a material.
        """
        depth = self._detector.depth
        envelope = self._plate("envelope", depth, VACUUM)
        self._stack(envelope, -depth / 2)
        return envelope

    def _stack(self, mother: Geant4Object, front: float) -> None:
        for section in self._detector.stack:
            self._place(self._section(section), mother, front + section.thickness / 2)
            front += section.thickness

    def _section(self, section: Section) -> Geant4Object:
        outer = self._plate(section.name, section.thickness, VACUUM)
        name = f"{section.name} period"
        period = self._plate(name, section.period, VACUUM)
        self._divide(period, outer, self._g4.kZAxis, section.repeat, section.period)
        front = -section.period / 2
        for number, slab in enumerate(section.slabs):
            name = f"{section.name} slab {number}"
            plate = self._plate(name, slab.thickness, slab.material)
            self._place(plate, period, front + slab.thickness / 2)
            front += slab.thickness
            if slab.sensitive and section.readout is not None:
                cut = section.readout.segmentation
                self.cells[section.name] += self._cells(
                    name, plate, cut, slab.thickness, slab.material
                )
        return outer

    def _cells(
        self, name: str, plate: Geant4Object, cut: Segmentation, thickness: float, material: str
    ) -> list[Geant4Object]:
        if isinstance(cut, PolarSegmentation):
            if cut.squares is None:
                return self._sectors(name, plate, cut, thickness, material)
            cut = cut.squares
        g4 = self._g4
        assert isinstance(self._detector.volume, Box)
        n_x, n_y = cut.grid(self._detector.volume.width)
        (x, y), half_y = cut.cell, self._detector.volume.width[1] / 2
        row_solid = g4.G4Box(f"{name} row", x / 2, half_y, thickness / 2)
        row = self._logical(f"{name} row", row_solid, material)
        self._divide(row, plate, g4.kXAxis, n_x, x)
        cell_solid = g4.G4Box(f"{name} cell", x / 2, y / 2, thickness / 2)
        cell = self._logical(f"{name} cell", cell_solid, material)
        self._divide(cell, row, g4.kYAxis, n_y, y)
        return [cell]

    def _sectors(
        self,
        name: str,
        plate: Geant4Object,
        cut: PolarSegmentation,
        thickness: float,
        material: str,
    ) -> list[Geant4Object]:
        g4, angle, cells = self._g4, 2 * math.pi / cut.alpha, []
        for number, (inner, outer) in enumerate(pairwise(cut.r_edges)):
            label = f"{name} ring {number}"
            solid = g4.G4Tubs(label, inner, outer, thickness / 2, -math.pi, 2 * math.pi)
            ring = self._logical(label, solid, material)
            self._place(ring, plate, 0.0, copy=number)
            # A sector is described around the x axis; the replica turns it into place.
            start = -angle / 2 if cut.alpha > 1 else -math.pi
            solid = g4.G4Tubs(f"{label} cell", inner, outer, thickness / 2, start, angle)
            cell = self._logical(f"{label} cell", solid, material)
            self._divide(cell, ring, g4.kPhi, cut.alpha, angle, offset=-math.pi)
            cells.append(cell)
        return cells

    # --- the bindings' objects -----------------------------------------------------------------

    def _keep(self, volume: Geant4Object) -> Geant4Object:
        self._alive.append(volume)
        return volume

    def _plate(self, name: str, thickness: float, material: str) -> Geant4Object:
        g4, volume = self._g4, self._detector.volume
        if isinstance(volume, Tube):
            solid = g4.G4Tubs(name, 0.0, volume.radius, thickness / 2, -math.pi, 2 * math.pi)
        else:
            solid = g4.G4Box(name, *volume.half_width, thickness / 2)
        return self._logical(name, solid, material)

    def _logical(self, name: str, solid: Geant4Object, material: str) -> Geant4Object:
        self._keep(solid)
        volume = self._keep(self._g4.G4LogicalVolume(solid, self._material(material), name))
        self.volumes.append(volume)
        return volume

    def _place(self, volume: Geant4Object, mother: Geant4Object, z: float, copy: int = 0) -> None:
        g4 = self._g4
        where = g4.G4ThreeVector(0, 0, z)
        name = volume.GetName()
        self._keep(g4.G4PVPlacement(None, where, volume, name, mother, False, copy))

    def _divide(
        self,
        volume: Geant4Object,
        mother: Geant4Object,
        axis: Geant4Object,
        n: int,
        width: float,
        offset: float = 0.0,
    ) -> None:
        if n == 1:  # a placement is quicker to navigate than a single replica
            self._place(volume, mother, 0.0)
            return
        name = volume.GetName()
        self._keep(self._g4.G4PVReplica(name, volume, mother, axis, n, width, offset))

    def _material(self, name: str) -> Geant4Object:
        if name not in self._materials:
            declared = self._detector.materials.get(name)
            if declared is None:
                self._materials[name] = self._nist(name)
            else:
                g4, parts = self._g4, declared.fractions
                density = declared.density * g4.g / g4.cm3
                mixture = g4.G4Material(name, density, len(parts))
                for part, fraction in parts.items():
                    mixture.AddMaterial(self._nist(part), fraction)
                self._materials[name] = mixture
        return self._materials[name]

    def _nist(self, name: str) -> Geant4Object:
        material = self._g4.G4NistManager.Instance().FindOrBuildMaterial(name)
        if material is None:
            msg = f"{self._detector.name}: Geant4 knows no material {name!r} (G4_Pb, G4_lAr, …)"
            raise DetectorError(msg)
        return material
