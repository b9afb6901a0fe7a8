from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.fullsim.geant4 import ChunkResult
from simulacra.hybrid import HybridCard
from simulacra.hybrid.ledger import EnergyLedger
from simulacra.hybrid.rules import Entries

BLOCK = """
kind: calorimeter
name: block
volume: {kind: box, width: [200 mm, 300 mm]}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: front
    slabs: [{material: G4_Al, thickness: 5 mm}]
  - name: core
    repeat: 4
    slabs:
      - {material: G4_Pb, thickness: 5 mm}
      - {material: G4_lAr, thickness: 5 mm, sensitive: true}
    readout:
      each: true
      sampling_fraction: 0.5
      segmentation: {kind: cartesian, cell: [20 mm, 30 mm]}
"""


class PointSimulator:
    """Leaves a known share of the energy in one cell of every shower.

    Half of it in atlas-barrel: in the middle layer's cell in the centre of its window.
    """

    def __init__(self, detector, particles=("gamma",), low=1000.0, high=65000.0):
        self.detector = detector
        self.particles = particles
        self.ranges = {"energy": (low, high)}
        self.own_ranges, self.seen = {}, {}
        self.calls, self.thetas = [], []

    @property
    def cell(self):
        layer = next(
            each for each in self.detector.layers if each.name in ("middle", "core_1", "layer_1")
        )
        return layer.cells.start + int(np.hypot(layer.x, layer.y).argmin())

    def stream(self, conditions, seed):
        yield self.simulate(conditions, seed)

    def simulate(self, conditions, seed):
        self.calls.append((len(conditions), seed))
        self.thetas.append(conditions.columns.get("theta"))
        self.pdg = conditions.columns.get("pdg")
        showers = np.zeros((len(conditions), self.detector.n_cells), np.float32)
        showers[:, self.cell] = conditions["energy"] / 2
        return Events(Conditions(conditions.columns), {"showers": showers}, self.detector)


class PretendedGeant4(Executor):
    """Lets primaries fly straight into the first region; those that stay leave all in cell 7.

    After ``dies_after`` chunks it breaks, as a pool does whose worker was killed.
    """

    def __init__(self, dies_after=None):
        self.done = 0
        self._dies_after = dies_after

    def submit(self, fn, /, *args, **kwargs):
        (chunk,), future = args, Future()
        if self.done == self._dies_after:
            future.set_exception(BrokenProcessPool("gone"))
            return future
        self.done += 1
        book, primaries = EnergyLedger(chunk.setup.world), chunk.primaries
        book.open(len(primaries))
        for row in range(len(primaries)):
            self._fly(book, chunk.setup.world.regions[0], primaries, row)
        future.set_result(ChunkResult(book.close(), "1.2.3"))
        return future

    @staticmethod
    def _fly(book, region, primaries, row):
        pdg, energy = int(primaries.pdg[row]), float(primaries.energy[row])
        start, direction = primaries.position[row], primaries.direction[row]
        path = (region.position - start) @ region.axes[:, 2] / (direction @ region.axes[:, 2])
        book.bring(energy)
        face = start + path * direction
        if book.considers(pdg, energy) and book.take(pdg, energy, face, direction, energy):
            return
        book.hit(0, np.array([7]), np.array([energy]))
        book.deposit(energy)


def entries(pdg=22, energy=2000.0, x=0.0, y=0.0, angle=0.0, theta=0.0, margin=100.0, phi=0.0):
    columns = np.broadcast_arrays(pdg, energy, x, y, angle, theta, margin, phi)
    columns = [np.atleast_1d(column) for column in columns]
    return Entries(columns[0].astype(np.int64), *(c.astype(float) for c in columns[1:]))


@pytest.fixture
def atlas():
    return load_detector("atlas-barrel")


@pytest.fixture
def block(tmp_path):
    """The file of a small box whose four layers are read out one by one."""
    path = tmp_path / "block.yaml"
    path.write_text(BLOCK)
    return path


@pytest.fixture
def photons(atlas):
    return PointSimulator(atlas)


def card(**changes):
    """A card of photons that hit atlas-barrel, handed over from 1 to 65 GeV."""
    content = {
        "regions": {"barrel": {"detector": "atlas-barrel"}},
        "simulators": {"photons": "atlas-barrel-photons"},
        "rules": [{"particles": ["gamma"], "energy": ["1 GeV", "65 GeV"], "simulator": "photons"}],
        "particles": [
            {
                "particle": "gamma",
                "energy": "2GeV,70GeV",
                "x": ["-40 mm", "40 mm"],
                "y": ["-80 mm", "80 mm"],
                "z": "-1 mm",
            }
        ],
        "events": 20,
    }
    return HybridCard.model_validate(content | changes)
