"""The protocol, for every simulator that there is: Geant4, a folder, a file, a formula outside."""

from pathlib import Path

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.detectors.catalogue import KINDS
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.events import Events
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool
from simulacra.simulators.classical.build import build
from simulacra.simulators.load import load_simulator
from tests.conftest import random_events

HERE = Path(__file__).parent
SERIES = HERE / "folders" / "0.1"
CUBE = HERE.parent / "small-cube.yaml"
ENERGIES = "1GeV,4GeV"
GEANT4 = pytest.param("Geant4", marks=pytest.mark.geant4)
CLASSICAL_KINDS = ("gflash", "frozen-showers", "fastcalosim", "lookup")
FAST = ("folder", "file", "formula", *CLASSICAL_KINDS)


@pytest.fixture(scope="module")
def geant4():
    with WorkerPool(1) as pool:
        yield Geant4Simulator(load_detector(CUBE), Geant4Settings(particle="gamma"), executor=pool)


def _of_another_package(monkeypatch):
    """Return the formula of the test package, without its entry points."""
    monkeypatch.syspath_prepend(HERE.parent / "plugin")
    from strips.detector import StripCounter

    monkeypatch.setitem(KINDS._loaded, "strip-counter", StripCounter)
    from strips.classical import StripsByFormula

    return StripsByFormula()


@pytest.fixture
def simulator(request, monkeypatch):
    match request.param:
        case "Geant4":
            return request.getfixturevalue("geant4")
        case "folder":
            return load_simulator(SERIES / "dnncalogan")
        case "file":
            return load_simulator(SERIES / "dnncalogan.onnx")
        case kind if kind in CLASSICAL_KINDS:
            return build(kind, CUBE, particle="gamma", sample=_sample(kind))
        case _:
            return _of_another_package(monkeypatch)


every = pytest.mark.parametrize("simulator", [GEANT4, *FAST], indirect=True)
fast = pytest.mark.parametrize("simulator", FAST, indirect=True)


def _sample(kind):
    """Return full simulation for what is made from it."""
    if kind == "gflash":
        return None
    cube = load_detector(CUBE)
    return random_events(cube, 40, 1).named("gamma")


def _energies(*values):
    return Conditions({"energy": np.array(values, np.float32)})


def _equal(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one.response)


@every
def test_facts_are_there(simulator):
    assert isinstance(simulator.particles, tuple)
    assert isinstance(simulator.chooses_particle, bool)
    for ranges in (simulator.ranges, *simulator.own_ranges.values()):
        assert all(low <= high for low, high in ranges.values())
    assert set(simulator.ranges) | {n for v in simulator.seen.values() for n in v} <= set(
        simulator.detector.conditions
    )
    assert simulator.detector.name in str(simulator.describe())
    assert len(repr(simulator).splitlines()) <= 12


@every
def test_the_seed_decides_and_earlier_calls_do_not(simulator):
    conditions = _energies(1000, 4000, 2000)
    first = simulator.simulate(conditions, 1)
    other = simulator.simulate(conditions, 2)
    again = simulator.simulate(conditions, 1)
    assert isinstance(first, Events)
    assert _equal(first, again)
    assert not _equal(first, other)
    assert np.array_equal(first.conditions["energy"], conditions["energy"])
    assert {n: a.shape[1:] for n, a in first.response.items()} == {
        n: a.shape for n, a in simulator.detector.response_arrays.items()
    }


@every
def test_generated_events_follow_the_spectrum_and_the_seed(simulator):
    named = simulator.particles[0] if simulator.particles else None
    events = simulator.generate(ENERGIES, 5, 3, named)
    assert list(events.conditions["energy"]) == [1000, 4000, 1000, 4000, 1000]
    assert _equal(events, simulator.generate(ENERGIES, 5, 3, named))
    assert _equal(events, simulator.generate(ENERGIES, 5, 3))
    assert not _equal(events, simulator.generate(ENERGIES, 5, 4))


@every
def test_a_stream_is_the_same_events(simulator):
    conditions = _energies(*[1000, 4000, 2000] * 4)
    whole = simulator.simulate(conditions, 1)
    assert _equal(whole, Events.concatenate(list(simulator.stream(conditions, 1))))


@every
def test_what_is_no_condition_is_refused(simulator):
    for wrong in (_energies(-1.0), _energies(np.nan), Conditions({"mass": np.ones(1)})):
        with pytest.raises(SimulacraError):
            simulator.simulate(wrong, 1)


@fast
def test_the_first_of_many_are_those_of_few(simulator):
    """Up to rounding: Geant4 promises no such thing."""
    many = _energies(*np.geomspace(1000, 4000, 37))
    few = simulator.simulate(many.take(slice(5)), 1)
    for name, array in simulator.simulate(many, 1).response.items():
        assert array[:5] == pytest.approx(few[name], rel=1e-5)


@fast
def test_outside_the_ranges_is_said_and_far_outside_refused(simulator):
    low, high = simulator.ranges["energy"]
    conditions = _energies(low, high, 1.5 * high)
    assert list(simulator.outside(conditions)) == [False, False, True]
    simulator.simulate(conditions, 1)
    far = _energies(high, 5 * high)
    for ask in (simulator.simulate, lambda *a, **how: next(simulator.stream(*a, **how))):
        with pytest.raises(SimulatorError, match="far outside"):
            ask(far, 1)
        assert len(ask(far, 1, extrapolate=True)) == 2


@pytest.mark.geant4
def test_geant4_has_no_ranges_but_particles(geant4):
    assert not geant4.outside(_energies(1.0, 1e6)).any()
    assert geant4.particles == ("gamma",)
    with pytest.raises(SimulacraError, match="set up for gamma, not for e-"):
        geant4.generate(ENERGIES, 2, 1, "e-")


@pytest.mark.parametrize("simulator", ["folder", "file", *CLASSICAL_KINDS], indirect=True)
def test_what_is_saved_loads_and_gives_the_same(simulator, tmp_path):
    place = tmp_path / ("copy.onnx" if hasattr(simulator, "runtime") else "copy")
    simulator.save(place)
    conditions = _energies(1000, 4000)
    assert _equal(simulator.simulate(conditions, 1), load_simulator(place).simulate(conditions, 1))
