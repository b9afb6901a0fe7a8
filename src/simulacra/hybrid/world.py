"""The world of a hybrid run as Geant4 volumes: calorimeters in vacuum, and what watches them."""

from __future__ import annotations

from simulacra.detectors.calorimeter.stack import VACUUM
from simulacra.fullsim.calorimeter.sensors import SCORE, CellSensor, EnergySensor, cell_sensor
from simulacra.fullsim.calorimeter.world import World
from simulacra.fullsim.datasets import Geant4Object
from simulacra.hybrid.regions import Region
from simulacra.hybrid.setup import Setup

HALL, ELSEWHERE = "world", "elsewhere"


def sensor_name(region: Region, section: str) -> str:
    """Return what the sensor of a section of a region is called."""
    return f"{region.name}.{section}"


class HybridWorld:
    """Builds the volumes and keeps them alive, which Geant4's bindings do not.

    Attributes:
        sensors: what sees the cells, by region and section.
        elsewhere: what sees all other matter.
    """

    def __init__(self, g4: Geant4Object, setup: Setup) -> None:
        self._g4 = g4
        self._setup = setup
        self._stacks = [World(g4, region.detector) for region in setup.regions]
        self._alive: list[Geant4Object] = []
        self.sensors: dict[tuple[str, str], CellSensor] = {}

    def build(self) -> Geant4Object:
        """Return the world's physical volume with the calorimeters in it.

        Raises:
            DetectorError: Geant4 does not know a material.
        """
        g4 = self._g4
        vacuum = g4.G4NistManager.Instance().FindOrBuildMaterial(VACUUM)
        solid = g4.G4Box(HALL, *self._setup.half_size)
        self.volume = g4.G4LogicalVolume(solid, vacuum, HALL)
        top = g4.G4PVPlacement(None, g4.G4ThreeVector(), self.volume, HALL, None, False, 0)
        self._alive += [vacuum, solid, top]
        for region, stack in zip(self._setup.regions, self._stacks, strict=True):
            envelope = stack.envelope()
            if region.name in self._setup.region_cuts:
                self._cut_apart(region.name, envelope)
            self._place(region, envelope)
        return top

    def _cut_apart(self, name: str, envelope: Geant4Object) -> None:
        """Make a volume a region of Geant4's, which can have a production cut of its own."""
        region = self._g4.G4Region(name)
        region.AddRootLogicalVolume(envelope)
        self._alive.append(region)

    def _place(self, region: Region, envelope: Geant4Object) -> None:
        g4 = self._g4
        turned = g4.G4RotationMatrix()
        turned.rotateY(region.turn)
        where = g4.G4Transform3D(turned, g4.G4ThreeVector(*map(float, region.centre)))
        placed = g4.G4PVPlacement(where, envelope, region.name, self.volume, False, 0)
        self._alive += [turned, where, placed]

    def equip(self, construction: Geant4Object, surface: Geant4Object) -> None:
        """Give every volume its sensor.

        Args:
            construction: the detector construction, through which Geant4 has it done.
            surface: what is called for each step in the vacuum around the calorimeters.
        """
        g4 = self._g4
        g4.G4SDManager.GetSDMpointer().AddNewDetector(surface)
        construction.SetSensitiveDetector(self.volume, surface)
        self.elsewhere = EnergySensor(g4, ELSEWHERE, g4.G4PSEnergyDeposit(SCORE, 0))
        for region, stack in zip(self._setup.regions, self._stacks, strict=True):
            sensors: dict[Geant4Object, CellSensor] = dict.fromkeys(stack.volumes, self.elsewhere)
            for readout in region.sections:
                name = sensor_name(region, readout.name)
                sensor = cell_sensor(g4, name, region.detector, readout)
                self.sensors[region.name, readout.name] = sensor
                sensors |= dict.fromkeys(stack.cells[readout.name], sensor)
            for volume, sensor in sensors.items():
                construction.SetSensitiveDetector(volume, sensor.sensor)
