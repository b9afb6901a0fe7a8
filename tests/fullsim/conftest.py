from concurrent.futures import Executor, Future

import numpy as np
import pytest

from simulacra.detectors import load_detector, parse_detector
from simulacra.fullsim import Geant4Settings, WorkerPool
from simulacra.fullsim.geant4 import ChunkResult
from simulacra.fullsim.tpc import Deposits

STACK = """
kind: calorimeter
name: {name}
volume: {volume}
beam: {beam}
conditions:
  energy: {{role: log, unit: MeV}}
{conditions}stack:
  - name: front
    slabs: [{{material: G4_Al, thickness: 10 mm}}]
  - name: core
    repeat: 6
    slabs:
      - {{material: G4_Pb, thickness: 5 mm}}
      - {{material: G4_lAr, thickness: 3 mm, sensitive: true}}
      - {{material: G4_Pb, thickness: 5 mm}}
      - {{material: G4_lAr, thickness: 3 mm, sensitive: true}}
    readout:
      each: {each}
      sampling_fraction: 0.5
      segmentation: {segmentation}
"""
BOX = "{kind: box, width: [600 mm, 600 mm]}"
TUBE = "{kind: tube, radius: 300 mm}"
SQUARES = "{kind: cartesian, cell: [20 mm, 30 mm]}"
RINGS = "{kind: polar, alpha: 8, r_edges: [0, 10, 40, 120, 300]}"
WIDE = "{kind: box, width: [1200 mm, 1200 mm]}"
FOLLOWING = "{kind: polar, alpha: 8, r_edges: [0, 10, 40, 120, 300], scored: 10 mm}"


def stack(volume=BOX, segmentation=SQUARES, each="false", beam="{}", name="toy", tilted=False):
    """Return a small sampling calorimeter; ``tilted``: with the angle of incidence."""
    fields = {"volume": volume, "segmentation": segmentation, "each": each, "beam": beam}
    fields["conditions"] = "  theta: {role: linear, unit: rad}\n" if tilted else ""
    return parse_detector(STACK.format(name=name, **fields))


MINIMUM_IONISING = 1.6e-4
"""Mean energy loss in the TPC's gas, MeV per mm."""


def radial_steps(detector, phi=0.3, z=1000.0, tan_lambda=0.0, loss=MINIMUM_IONISING, **changes):
    """Deposits of a straight particle that crosses all pad rows, four even steps a row."""
    edges = [
        np.linspace(g.inner_radius, g.inner_radius + g.rows * g.pitch, 4 * g.rows + 1)
        for g in detector.pad_rows
    ]
    inner, outer = (
        np.concatenate([e[cut] for e in edges]) for cut in (slice(None, -1), slice(1, None))
    )
    start, stop = (
        np.column_stack([r * np.cos(phi), r * np.sin(phi), z + tan_lambda * (r - inner[0])])
        for r in (inner, outer)
    )
    columns = {
        "start": start,
        "stop": stop,
        "energy": loss * np.hypot(1, tan_lambda) * (outer - inner),
        "time": inner / 299.8,
        "track": np.ones(len(inner), np.int64),
    }
    return Deposits(**columns | changes)


def together(*parts):
    """Return the deposits of all parts."""
    names = ("start", "stop", "energy", "time", "track")
    return Deposits(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def changed(detector, **sections):
    """Return a detector with other values in some of its sections."""
    update = {
        name: getattr(detector, name).model_copy(update=values) for name, values in sections.items()
    }
    return detector.model_copy(update=update)


class PretendedGeant4(Executor):
    """Answers at once with showers that depend on the chunk's particles and seeds alone.

    After ``dies_after`` chunks it breaks, as a pool does whose worker was killed.
    """

    def __init__(self, dies_after=None):
        self.done = 0
        self._dies_after = dies_after

    def submit(self, fn, /, *args, **kwargs):
        from concurrent.futures.process import BrokenProcessPool

        (chunk,) = args
        future = Future()
        if self.done == self._dies_after:
            future.set_exception(BrokenProcessPool("gone"))
            return future
        self.done += 1
        noise = np.random.default_rng(chunk.seeds).random(
            (len(chunk.primaries), chunk.setup.detector.n_cells)
        )
        showers = (noise * chunk.primaries.energy[:, None]).astype(np.float32)
        future.set_result(ChunkResult({"showers": showers}, "1.2.3", {"cut_mm": 1.0}))
        return future


@pytest.fixture
def atlas():
    return load_detector("atlas-barrel")


@pytest.fixture
def photons():
    return Geant4Settings(particle="gamma")


@pytest.fixture
def pool():
    with WorkerPool(1) as pool:
        yield pool


@pytest.fixture(scope="session")
def tpc():
    return load_detector("alice-tpc")


@pytest.fixture(scope="session")
def quiet(tpc):
    """The TPC without diffusion, noise, thresholds and fluctuations of ionisation and gain."""
    return changed(
        tpc,
        gas={"fano": 0.0, "electrons_per_cluster": 1.0},
        drift={"transverse_diffusion": 0.0, "longitudinal_diffusion": 0.0},
        amplification={"spread": 1e-3},
        electronics={"noise": 0.0, "threshold": 1e-9},
    )
