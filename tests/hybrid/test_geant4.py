"""Geant4 that hands particles over: equal to full simulation where it does not, exact in energy."""

import sys
from pathlib import Path

import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import SimulacraError
from simulacra.fullsim import Geant4Settings, WorkerPool, pdg_id
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.geant4 import Chunk, run_chunk
from simulacra.hybrid import HybridCard, Primaries, simulate_hybrid
from simulacra.hybrid.geant4 import HybridSetup
from simulacra.hybrid.ledger import EnergyLedger
from simulacra.hybrid.regions import Region
from simulacra.hybrid.run import setup_of
from tests.hybrid.conftest import PointSimulator, card

pytestmark = pytest.mark.geant4
ROOT = Path(__file__).parents[2]

ALL = (("gamma", 400.0), ("e-", 400.0), ("e+", 5.0), ("mu-", 300.0), ("mu+", 150.0), ("pi+", 300.0))
STRAIGHT = {"x": 3, "y": 5, "z": "-1 mm"}


def mixed_card(**changes):
    particles = [{"particle": name, "energy": f"{e} MeV"} | STRAIGHT for name, e in ALL]
    return card(**{"rules": [], "particles": particles, "events": 3} | changes)


def rule(particle="gamma", **options):
    return {"particles": [particle], "simulator": "photons"} | options


@pytest.fixture
def simulators(atlas):
    return {"photons": PointSimulator(atlas, ("gamma",), low=10.0)}


@pytest.fixture
def run(tmp_path, simulators):
    def call(made, name="e.h5", **options):
        return simulate_hybrid(made, tmp_path / name, simulators=simulators, **options)

    return call


def test_the_energy_closes_for_all_particles_with_decays(run):
    events = run(mixed_card(events=4))
    assert events.audit.largest_imbalance < 1e-9
    assert events.handed_over_share == 0
    electron, muon, pion = 0.51099895, 105.658376, 139.57039
    rest = 2 * electron + (muon - electron) + (muon + electron) + (pion + electron)
    kinetic = sum(energy for _, energy in ALL)
    np.testing.assert_allclose(events.audit.brought, kinetic + rest, atol=1e-3)
    assert np.all(events.audit.escaped > 60)  # neutrinos of three decays
    assert len(events.hits) > 100


TILES = """
kind: calorimeter
name: tiles
volume: {kind: box, width: [400 mm, 400 mm]}
birks: {G4_POLYSTYRENE: 0.126 mm/MeV}
conditions: {energy: {role: log, unit: MeV}}
stack:
  - name: tiles
    repeat: 10
    slabs:
      - {material: G4_Fe, thickness: 10 mm}
      - {material: G4_POLYSTYRENE, thickness: 0.3 mm, sensitive: true}
    readout: {segmentation: {kind: cartesian, cell: [40 mm, 40 mm]}}
"""


def test_calorimeters_keep_their_cuts_and_light_is_no_energy(run, tmp_path):
    """Behind each other: 1 mm and 0.3 mm; what Birks' law hides is still in the energy ledger."""
    (tmp_path / "tiles.yaml").write_text(TILES)
    regions = {
        "barrel": {"detector": "atlas-barrel"},
        "tiles": {"detector": str(tmp_path / "tiles.yaml"), "position": [0, 0, "700 mm"]},
    }
    particles = [{"particle": "mu-", "energy": "5 GeV"} | STRAIGHT]
    events = run(card(rules=[], regions=regions, particles=particles, events=4))
    assert events.provenance["cut_mm"] == {"barrel": 1.0, "tiles": 0.3}
    assert events.audit.largest_imbalance < 1e-9
    light = events.regions["tiles"]["showers"].sum(axis=1)
    assert np.all(light > 0.3)
    assert np.median(light) < 0.92  # ten times 0.3 mm of 0.2 MeV/mm, saturated, and some deltas


def one_primary(pdg, energy):
    return Primaries(
        pdg=np.array([pdg]),
        energy=np.array([energy]),
        direction=np.array([[0.0, 0.0, 1.0]]),
        position=np.array([[3.0, 5.0, -1.0]]),
        event=np.array([0]),
        n_events=1,
    )


def one_chunk(made, primaries, simulators, seeds=(1, 2)):
    world = setup_of(made, primaries, simulators)
    return Chunk(HybridSetup(world), made.geant4, primaries, np.array([seeds]))


@pytest.mark.parametrize(
    ("particle", "pdg"), [("gamma", 22), ("e-", 11), ("mu-", 13), ("pi+", 211)]
)
def test_without_fast_rules_it_is_full_simulation_exactly(particle, pdg, atlas, simulators):
    """Same seeds, same cells, to the last bit: whatever the particle."""
    made = card(
        rules=[rule(energy=["1 TeV", "2 TeV"]), rule("e-") | {"simulator": "full"}],
        particles=[{"particle": particle, "energy": "500MeV"} | STRAIGHT],
    )
    primaries = one_primary(pdg_id(particle), 500.0)
    chunk = one_chunk(made, primaries, simulators, (123, 456))
    layers, settings = Region("barrel", atlas).layers, Geant4Settings(particle=particle)
    plain = Chunk(CalorimeterSetup(layers), settings, primaries, chunk.seeds)
    with WorkerPool(1) as one, WorkerPool(1) as other:
        hybrid = one.submit(run_chunk, chunk).result().response
        expected = other.submit(run_chunk, plain).result().response["showers"]
    cells = np.zeros((1, layers.n_cells), np.float32)
    cells[0, hybrid["hits"][:, 2]] = hybrid["energy"]
    np.testing.assert_array_equal(cells, expected)
    assert expected.sum() > 0


def test_what_is_handed_over_leaves_the_others_as_they_are(run):
    """Muons, electrons and pions have the same hits, bit by bit, with and without fast photons."""
    kept = run(mixed_card(), "full.h5")
    gone = run(mixed_card(rules=[rule(energy=["100 MeV", "1 GeV"])]), "fast.h5")
    photon = kept.primaries.pdg == 22
    for events in (kept, gone):
        assert events.audit.largest_imbalance < 1e-9
    assert gone.requests.primary.tolist() == np.flatnonzero(photon).tolist()
    np.testing.assert_allclose(gone.audit.handed_over, 400)
    hits = [
        np.array([h.primary, h.region, h.cell, h.energy])[:, ~photon[h.primary]]
        for h in (kept.hits, gone.hits)
    ]
    np.testing.assert_array_equal(*hits)
    assert set(gone.hits.origin[photon[gone.hits.primary]]) == {1}


def test_the_number_of_workers_does_not_matter(run, tmp_path, monkeypatch):
    monkeypatch.setattr(CalorimeterSetup, "chunk_cost", 500.0)
    made = mixed_card(rules=[rule()])
    for workers in (1, 2):
        run(made, f"{workers}.h5", workers=workers)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()


def test_secondaries_that_enter_are_handed_over_too(run, block, simulators):
    """Photons that a neutral pion decays to before the calorimeter, at the angles they have."""
    pion = {"particle": "pi0", "energy": "20GeV", "z": "-30 cm"}
    made = card(
        rules=[rule(energy=["1 GeV", "65 GeV"], max_angle="2 deg")], particles=[pion], events=20
    )
    events = run(made)
    assert events.audit.largest_imbalance < 1e-6
    assert len(events.requests) > 20
    assert set(events.requests.entries.pdg) == {22}
    angle = events.requests.entries.angle
    assert np.median(angle) > 1e-3
    assert angle.max() <= np.deg2rad(2)
    assert events.handed_over_share > 0.7


def test_turned_regions_see_what_an_unturned_one_does(block, tmp_path):
    """Boxes around a source: muons enter each at the same place in its own frame."""
    turns = {"ahead": 0, "aside": 90, "behind": 180}
    ways = {"ahead": [0, 0, "10 cm"], "aside": ["20 cm", 0, 0], "behind": [0, 0, "-10 cm"]}
    starts = {"ahead": (31, 0), "aside": (0, -31), "behind": (-31, 0)}  # x and z
    simulators = {"small": PointSimulator(load_detector(block), ("mu-",))}
    made = card(
        regions={
            name: {"detector": str(block), "position": ways[name], "turn": f"{turn} deg"}
            for name, turn in turns.items()
        },
        simulators={"small": "somewhere"},
        rules=[{"particles": ["mu-"], "simulator": "small"}],
        particles=[
            {"particle": "mu-", "energy": "2GeV", "theta": f"{turn} deg"}
            | dict(zip(("x", "z", "y"), (*starts[name], 46), strict=True))
            for name, turn in turns.items()
        ],
        events=4,
    )
    events = simulate_hybrid(made, tmp_path / "e.h5", simulators=simulators)
    assert events.audit.largest_imbalance < 1e-9
    # The box's read-out stays at its centre: no muon is handed over, and each is counted.
    assert events.rule_counts()[0].outside_readout == 12
    assert events.requests.region.tolist() == [0, 1, 2] * 4
    np.testing.assert_allclose(events.requests.entries.x, 31, atol=1e-9)
    np.testing.assert_allclose(events.requests.entries.y, 46, atol=1e-9)
    for region in events.regions.values():
        showers = region["showers"].sum(axis=0).reshape(4, 100)
        assert showers.argmax(axis=1).tolist() == [6 * 10 + 6] * 4


def count_calls(chunk):
    """Return, in a worker, how often Python was called for entering and leaving particles."""
    callers, deposit = [], EnergyLedger.deposit

    def counted(book, energy):
        callers.append(sys._getframe(1).f_code.co_name)
        deposit(book, energy)

    EnergyLedger.deposit = counted
    run_chunk(chunk)
    return callers.count("ProcessHits")


def test_python_is_called_at_surfaces_only(simulators):
    """A shower of 1 GeV has thousands of steps; a few particles enter it or leave it."""
    made = card(rules=[rule(energy=["5 GeV", "65 GeV"])])
    primaries = one_primary(22, 1000.0)
    chunk = one_chunk(made, primaries, simulators)
    with WorkerPool(1) as pool:
        assert 1 <= pool.submit(count_calls, chunk).result() < 50


@pytest.mark.parametrize("example", ["hybrid-photons", "hybrid-two-regions"])
def test_the_examples_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    made = HybridCard.load(ROOT / f"examples/{example}.yaml", ["events=2"])
    events = simulate_hybrid(made, tmp_path / "e.h5")
    assert events.audit.largest_imbalance < 1e-9
    (count,) = events.rule_counts()
    assert count.handed_over > 0
    fast = events.hits.origin == 1
    photon = events.primaries.pdg[events.hits.primary[fast]] == 22
    assert photon.all()
    answered = events.hits.energy[fast].sum() / count.energy
    assert 0.9 < answered < 1.1


def test_a_worker_refuses_another_set_up(simulators):
    primaries = one_primary(13, 200.0)
    chunks = [one_chunk(made, primaries, simulators) for made in (card(), card(cut="2 mm"))]
    with WorkerPool(1) as pool:
        pool.submit(run_chunk, chunks[0]).result()
        with pytest.raises(SimulacraError, match="use fresh workers"):
            pool.submit(run_chunk, chunks[1]).result()
