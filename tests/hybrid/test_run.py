"""A hybrid run around Geant4: what is refused, handed over, answered, added up and written."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.engines import Parts
from simulacra.errors import CardError, EventsError, SimulacraError, SimulatorError
from simulacra.events import Events
from simulacra.hybrid import Outcome, Primaries, read_hybrid, simulate_hybrid
from simulacra.hybrid.job import HybridJob
from simulacra.hybrid.run import setup_of
from simulacra.io import read_events
from simulacra.training.card import Card
from simulacra.training.samples import training_events
from tests.detectors.calorimeter.test_places import own
from tests.hybrid.conftest import PointSimulator, PretendedGeant4, card

pytestmark = pytest.mark.slow


def run(path, photons, executor=None, **changes):
    executor = executor or PretendedGeant4()
    return simulate_hybrid(
        card(**changes), path, simulators={"photons": photons}, executor=executor
    )


def rule(**options):
    return {"particles": ["gamma"], "simulator": "photons"} | options


class OnTheSpot(PointSimulator):
    """Leaves all energy where the particle enters a calorimeter of cells that stand still."""

    def simulate(self, conditions, seed):
        layer = self.detector.layers[0]
        places = np.column_stack([conditions["impact_x"], conditions["impact_y"]])
        away = np.hypot(*(places[:, :, None] - np.array([layer.x, layer.y])).swapaxes(0, 1))
        showers = np.zeros((len(conditions), self.detector.n_cells), np.float32)
        showers[np.arange(len(showers)), away.argmin(axis=1)] = conditions["energy"]
        return Events(conditions, {"showers": showers}, self.detector)


def test_among_cells_that_stand_still_showers_are_where_particles_enter(tmp_path):
    """Beyond the impacts of training they stay in full simulation, and are counted."""
    detector = own(beam={"x": ["-100 mm", "100 mm"], "y": ["-100 mm", "100 mm"]})
    (tmp_path / "own.yaml").write_text(detector.to_yaml())
    simulator = OnTheSpot(detector)
    simulator.ranges |= {"impact_x": (-60.0, 60.0), "impact_y": (-100.0, 100.0)}
    wide = ["-99 mm", "99 mm"]
    photons = {"particle": "gamma", "energy": "2GeV", "x": wide, "y": wide, "z": "-1 mm"}
    events = run(
        tmp_path / "e.h5",
        simulator,
        regions={"own": {"detector": str(tmp_path / "own.yaml")}},
        rules=[rule(max_angle=0.3)],
        particles=[photons],
        events=80,
    )
    entered = events.requests.entries
    known = np.abs(entered.x) <= 61.2  # a hundredth of the range is allowed
    assert 30 < known.sum() < 70
    assert events.requests.outcome.tolist() == np.where(known, 0, 1).tolist()
    fast = events.hits.origin == 1
    assert fast.sum() == known.sum()
    layer = detector.layers[0]
    cells, rows = events.hits.cell[fast], events.hits.primary[fast]
    assert np.abs(layer.x[cells] - events.primaries.position[rows, 0]).max() <= 10.01
    assert np.abs(layer.y[cells] - events.primaries.position[rows, 1]).max() <= 10.01


def test_a_beam_at_a_point_is_all_that_its_simulator_knows(tmp_path):
    """Without an impact among the conditions, particles beside the beam stay in full, counted."""
    detector = own(declared={})
    (tmp_path / "own.yaml").write_text(detector.to_yaml())
    spread = {"particle": "gamma", "energy": "2GeV", "x": ["-99 mm", "99 mm"], "z": "-1 mm"}
    events = run(
        tmp_path / "e.h5",
        PointSimulator(detector, low=1000.0),
        regions={"own": {"detector": str(tmp_path / "own.yaml")}},
        rules=[rule()],
        particles=[spread],
        events=20,
    )
    (count,) = events.rule_counts()
    assert (count.handed_over, count.outside_training, count.outside_readout) == (0, 0, 20)
    assert not np.any(events.hits.origin)


STEPS = {"training": {"steps": 2, "batch_size": 8}, "selection": {"every": 2}}


def layers_of(tmp_path, photons, **particle):
    """The file of a hybrid run that reads out all cells of the layers, and its detector's."""
    one = {"particle": "gamma", "energy": "2GeV,70GeV", "z": "-1 mm"} | particle
    name = "-".join(particle) or "middle"
    events = run(tmp_path / f"{name}.h5", photons, particles=[one], events=20)
    path = tmp_path / "layers.yaml"
    path.write_text(events.regions["barrel"].detector.to_yaml())
    return tmp_path / f"{name}.h5", path


@pytest.mark.parametrize(
    "particle", [{"x": ["-40 mm", "40 mm"]}, {"y": "10 mm"}, {"theta": 0.1}, {"count": 2}]
)
def test_layers_hit_anywhere_are_nothing_to_learn_from(tmp_path, photons, particle):
    """No condition says where their showers are, and the detector has a beam at a point."""
    path, detector = layers_of(tmp_path, photons, **particle)
    content = {"detector": str(detector), "model": {"kind": "flow-matching"}, **STEPS}
    data = {"train": str(path), "selection": str(path)}
    with pytest.raises(EventsError, match="particles enter anywhere, and no condition says where"):
        training_events(Card.model_validate(content | {"data": data}), load_detector(detector))


def test_layers_hit_in_the_middle_are(tmp_path, photons):
    path, detector = layers_of(tmp_path, photons)
    content = {"detector": str(detector), "model": {"kind": "flow-matching"}, **STEPS}
    data = {"train": str(path), "selection": str(path)}
    card_of = Card.model_validate(content | {"data": data})
    assert len(training_events(card_of, load_detector(detector))[0]) == 20


def test_a_window_s_file_says_where_particles_fly(tmp_path, photons):
    """The detector has a straight beam and no condition for angles: others are refused."""
    regions = {"barrel": {"detector": "atlas-barrel", "readout": "window"}}
    inclined = {"particle": "gamma", "energy": "2GeV", "z": "-1 mm", "theta": 0.1}
    with pytest.raises(CardError, match="do not say the directions in which particles enter"):
        run(tmp_path / "e.h5", photons, regions=regions, particles=[inclined])


# --- rules and simulators ----------------------------------------------------------------------


def test_what_matches_is_handed_over_and_the_rest_stays(photons, tmp_path):
    events = run(tmp_path / "e.h5", photons)
    twos = events.primaries.energy == 2000.0
    assert twos.sum() == 10
    np.testing.assert_allclose(events.audit.handed_over, np.where(twos, 2000.0, 0.0))
    np.testing.assert_allclose(events.audit.deposited, np.where(twos, 0.0, 70000.0))
    assert events.audit.largest_imbalance == 0
    assert events.handed_over_share == pytest.approx(2 / 72)
    (count,) = events.rule_counts()
    assert (count.rule, count.simulator, count.handed_over, count.energy) == (0, "photons", 10, 2e4)


def test_outside_of_the_training_range_falls_back_to_full_and_is_counted(photons, tmp_path):
    events = run(tmp_path / "e.h5", photons, rules=[rule()])
    (count,) = events.rule_counts()
    assert (count.handed_over, count.outside_training, count.outside_readout) == (10, 10, 0)
    assert events.audit.handed_over.sum() == 20_000
    assert events.audit.deposited.sum() == 700_000
    outcome = np.where(events.primaries.energy == 2000, Outcome.HANDED_OVER, 1)
    assert events.requests.outcome.tolist() == outcome.tolist()


def test_a_simulator_of_several_particles_is_told_which(atlas, tmp_path):
    simulator = PointSimulator(atlas.with_particles((11, 22)), ("e-", "gamma"))
    simulator.own_ranges = {11: {"energy": (1000.0, 1500.0)}}
    each = {"energy": "2GeV", "z": "-1 mm"}
    particles = [each | {"particle": name} for name in ("gamma", "e-", "gamma")]
    rules = [rule(particles=["e-", "gamma"])]
    events = run(tmp_path / "e.h5", simulator, rules=rules, particles=particles, events=3)
    (count,) = events.rule_counts()
    assert (count.handed_over, count.outside_training) == (6, 3)
    assert simulator.pdg.tolist() == [22] * 6
    with pytest.raises(SimulatorError, match="trained on e-, gamma, not on mu-"):
        run(tmp_path / "m.h5", simulator, rules=[rule(particles=["mu-"])])


def test_cells_that_a_simulator_never_saw_stay_in_full(tmp_path, photons):
    photons.seen = {0: {"alignment_phi": (0, 1)}}
    events = run(tmp_path / "e.h5", photons, events=40, rules=[rule(energy=["1 GeV", "65 GeV"])])
    entered = events.requests.entries
    known = photons.detector.locate(entered.x, entered.y)["alignment_phi"] < 2
    assert 0 < known.sum() < len(known)
    assert events.requests.outcome.tolist() == np.where(known, 0, 1).tolist()


def test_directions_that_a_simulator_knows_are_handed_over(tmp_path):
    """Where the angle of incidence is a condition: in its plane and range; others stay in full."""
    cube = Path(__file__).parents[1] / "small-tilted-cube.yaml"
    simulator = PointSimulator(load_detector(cube))
    simulator.ranges["theta"] = (-0.1, 0.1)
    angles = [(0, 0), (0.09, 0), (0.09, np.pi), (0.2, 0), (0.09, np.pi / 2)]  # theta and phi
    particles = [
        {
            "particle": "gamma",
            "energy": "2GeV",
            "x": -np.tan(theta) * np.cos(phi),  # on the axis where they enter
            "y": -np.tan(theta) * np.sin(phi),
            "z": "-1 mm",
            "theta": theta,
            "phi": phi,
        }
        for theta, phi in angles
    ]
    events = run(
        tmp_path / "e.h5",
        simulator,
        regions={"box": {"detector": str(cube)}},
        rules=[rule(max_angle=0.3)],
        particles=particles,
        events=1,
    )
    assert events.requests.outcome.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_allclose(
        read_hybrid(tmp_path / "e.h5").requests.entries.theta, [0, 0.09, -0.09, 0.2, 0], atol=1e-9
    )
    (asked,) = simulator.thetas
    np.testing.assert_allclose(asked, [0, 0.09, -0.09], atol=1e-7)


def test_windows_that_leave_the_layers_stay_in_full_and_are_counted(photons, tmp_path):
    particles = [card().particles[0].model_dump(mode="json") | {"x": [210, 300]}]
    events = run(tmp_path / "e.h5", photons, particles=particles)
    (count,) = events.rule_counts()
    assert (count.handed_over, count.outside_training, count.outside_readout) == (0, 0, 10)
    assert photons.calls == []


def test_a_simulator_for_another_detector_is_refused(photons, block, tmp_path):
    regions = {"box": {"detector": str(block)}}
    with pytest.raises(
        SimulatorError, match=r"rules\.0: photons answers for detector atlas-barrel"
    ):
        run(tmp_path / "e.h5", photons, regions=regions)
    altered = block.with_name("atlas.yaml")
    altered.write_text(photons.detector.to_yaml().replace("133.0", "134.0"))
    with pytest.raises(SimulatorError, match=r"\(same name, other geometry\)"):
        run(tmp_path / "e.h5", photons, regions={"barrel": {"detector": str(altered)}})
    assert not [*tmp_path.glob("e.h5*")]


def test_a_rule_that_names_its_regions_asks_nothing_of_others(photons, block, tmp_path):
    regions = {
        "barrel": {"detector": "atlas-barrel"},
        "box": {"detector": str(block), "position": [0, 0, "1 m"]},
    }
    with pytest.raises(SimulatorError, match="region box is block"):
        run(tmp_path / "e.h5", photons, regions=regions)
    run(tmp_path / "e.h5", photons, regions=regions, rules=[rule(regions=["barrel"])])


@pytest.mark.parametrize(
    ("trained", "stated", "what"),
    [
        (("gamma",), (), "was trained on gamma, not on e-"),
        ((), (), "does not say what it was trained on"),
        (("gamma",), ("e-",), "was trained on gamma, not on e-"),
        (("e-", "gamma"), (), "learned e-, gamma together and cannot tell them apart"),
    ],
)
def test_a_simulator_is_asked_for_its_own_particles_only(trained, stated, what, atlas, tmp_path):
    simulator = PointSimulator(atlas, trained)
    simulators = {"photons": {"folder": "x", "particles": stated}}
    with pytest.raises(SimulatorError, match=what):
        run(tmp_path / "e.h5", simulator, simulators=simulators, rules=[rule(particles=["e-"])])


def test_what_a_simulator_does_not_say_the_card_may(atlas, tmp_path):
    simulators = {"photons": {"folder": "x", "particles": ["22"]}}
    run(tmp_path / "e.h5", PointSimulator(atlas, ()), simulators=simulators)


def test_conditions_that_nobody_knows_are_refused(atlas, tmp_path):
    path = tmp_path / "odd.yaml"
    odd = "  layers_of_dust: {role: linear}\n"
    path.write_text(atlas.to_yaml().replace("conditions:\n", f"conditions:\n{odd}"))
    simulator = PointSimulator(load_detector(path))
    with pytest.raises(SimulatorError, match="'layers_of_dust', which a hybrid run does not know"):
        run(tmp_path / "e.h5", simulator, regions={"barrel": {"detector": str(path)}})


def test_regions_must_be_calorimeters_of_matter(photons, tmp_path):
    for name in ("alice-tpc", "calochallenge-2"):
        with pytest.raises(CardError, match=f"{name} is no calorimeter"):
            run(tmp_path / "e.h5", photons, regions={"barrel": {"detector": name}})


# --- answers and hits --------------------------------------------------------------------------


def test_a_beam_that_is_always_inclined_is_refused_where_simulators_answer(block, tmp_path):
    block.write_text(block.read_text() + "beam: {theta: [0.3, 0.3]}\n")
    simulator = PointSimulator(load_detector(block))
    regions = {"box": {"detector": str(block)}}
    with pytest.raises(CardError, match=r"regions\.box: .* 0\.3 rad from the normal"):
        run(tmp_path / "e.h5", simulator, regions=regions)
    events = run(tmp_path / "e.h5", simulator, regions=regions, rules=[rule(simulator="full")])
    assert events.audit.handed_over.sum() == 0  # Geant4 needs no condition


def test_answers_lie_where_the_particles_entered(photons, tmp_path):
    events = run(tmp_path / "e.h5", photons)
    fast = events.hits.origin == 1
    layers = events.regions["barrel"].detector.layers
    primary = events.hits.primary[fast]
    np.testing.assert_allclose(events.hits.energy[fast], events.primaries.energy[primary] / 2)
    middle = next(layer for layer in layers if layer.name == "middle")
    cell = events.hits.cell[fast] - middle.cells.start
    x, y = events.primaries.position[primary, :2].T
    assert np.all(np.abs(middle.x[cell] - x) <= 20)
    assert np.all(np.abs(middle.y[cell] - y) <= 20)
    assert np.all(events.hits.cell[~fast] == 7)
    assert np.all(events.primaries.energy[events.hits.primary[~fast]] == 70000)


def test_all_particles_are_answered_in_one_batch(photons, tmp_path):
    run(tmp_path / "a.h5", photons)
    run(tmp_path / "b.h5", photons, seed=2)
    (first, seed), (second, other) = photons.calls
    assert (first, second) == (10, 10)
    assert seed != other


def test_several_particles_of_an_event_add_up(photons, tmp_path):
    particles = [card().particles[0].model_dump(mode="json") | {"count": 2, "x": 0, "y": 0}]
    events = run(tmp_path / "e.h5", photons, particles=particles, events=3)
    region = events.regions["barrel"]
    assert region.conditions["energy"].tolist() == [72000.0] * 3
    assert region["showers"].sum(axis=1).tolist() == [71000.0] * 3
    assert np.bincount(events.primaries.event[events.hits.primary]).tolist() == [2, 2, 2]


def test_two_simulators_answer_for_two_regions(atlas, block, tmp_path):
    simulators = {
        "photons": PointSimulator(atlas),
        "small": PointSimulator(load_detector(block), ("e-",)),
    }
    electron = {"particle": "e-", "energy": "2GeV", "z": -1}
    made = card(
        regions={
            "box": {"detector": str(block)},
            "barrel": {"detector": "atlas-barrel", "position": [0, 0, 100]},
        },
        simulators=dict.fromkeys(simulators, "somewhere"),
        rules=[
            {"particles": ["e-"], "simulator": "small", "regions": ["box"]},
            {"particles": ["gamma"], "simulator": "photons", "regions": ["barrel"]},
        ],
        particles=[electron, electron | {"particle": "gamma"}],
    )
    events = simulate_hybrid(
        made, tmp_path / "e.h5", simulators=simulators, executor=PretendedGeant4()
    )
    assert events.origins == ("full", "photons", "small")
    # The pretended Geant4 flies to the first region only, where photons stay.
    assert [(count.rule, count.handed_over) for count in events.rule_counts()] == [(0, 20), (1, 0)]
    assert events.regions["box"]["showers"].sum() == 20 * 3000
    assert events.regions["barrel"]["showers"].sum() == 0


# --- the file ----------------------------------------------------------------------------------


def same(one, other):
    for table in ("primaries", "hits", "requests", "audit"):
        first, second = getattr(one, table), getattr(other, table)
        for name in type(first).__dataclass_fields__:
            value = getattr(first, name)
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(getattr(second, name), value, rtol=1e-6)


def test_what_is_written_reads_back(photons, tmp_path):
    events = run(tmp_path / "e.h5", photons)
    read = read_hybrid(tmp_path / "e.h5")
    same(events, read)
    assert len(read) == 20
    assert read.origins == ("full", "photons")
    assert read.rule_counts() == events.rule_counts()
    assert read.provenance["card"] == card().model_dump(mode="json")
    region = read.regions["barrel"]
    np.testing.assert_array_equal(region["showers"], events.regions["barrel"]["showers"])
    assert [path.name for path in tmp_path.iterdir()] == ["e.h5"]


def test_a_file_of_one_region_is_an_events_file(photons, tmp_path):
    events = run(tmp_path / "e.h5", photons)
    native = read_events(tmp_path / "e.h5")
    assert native.detector.name == "atlas-barrel-layers"
    assert native.provenance["step"] == "hybrid"
    np.testing.assert_array_equal(native["showers"], events.regions["barrel"]["showers"])
    with h5py.File(tmp_path / "e.h5") as file:
        assert file["showers"] == file["regions/barrel/showers"]  # linked, not copied
        assert file["hits/energy"].attrs["unit"] == "MeV"


def test_a_window_around_the_impact_is_the_detector_s_own(photons, tmp_path):
    regions = {"barrel": {"detector": "atlas-barrel", "readout": "window"}}
    events = run(tmp_path / "e.h5", photons, regions=regions)
    native = read_events(tmp_path / "e.h5", photons.detector)
    x, y = photons.detector.place(native.conditions.columns)
    np.testing.assert_allclose(x, events.primaries.position[:, 0], atol=1e-4)
    np.testing.assert_allclose(y, events.primaries.position[:, 1], atol=1e-4)
    twos = native.conditions["energy"] == 2000
    np.testing.assert_allclose(native["showers"][twos, photons.cell], 1000)
    np.testing.assert_allclose(native["showers"][twos].sum(axis=1), 1000)


def test_a_window_needs_a_particle_that_is_aimed(photons, tmp_path):
    regions = {"barrel": {"detector": "atlas-barrel", "readout": "window"}}
    for place in ({"z": "2 m"}, {"x": [210, 300]}):
        particles = [card().particles[0].model_dump(mode="json") | place]
        with pytest.raises(CardError, match="one particle per event, aimed at it"):
            run(tmp_path / "e.h5", photons, regions=regions, particles=particles)


def test_several_regions_are_no_single_events_file(photons, block, tmp_path):
    regions = {
        "barrel": {"detector": "atlas-barrel"},
        "box": {"detector": str(block), "position": [0, 0, -100]},
    }
    run(tmp_path / "e.h5", photons, regions=regions, rules=[rule(regions=["barrel"])])
    with pytest.raises(EventsError, match=r"several regions \(barrel, box\); take one: .*'barrel'"):
        read_events(tmp_path / "e.h5")
    assert list(read_hybrid(tmp_path / "e.h5").regions) == ["barrel", "box"]


def test_only_hybrid_files_are_read_as_such(tmp_path):
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["hits"] = [1.0]
    with pytest.raises(EventsError, match="no file of a hybrid run"):
        read_hybrid(tmp_path / "e.h5")


def test_only_hdf5_is_written(photons, tmp_path):
    with pytest.raises(EventsError, match="written as HDF5"):
        run(tmp_path / "e.root", photons)


# --- jobs --------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(photons, tmp_path):
    for name, changes in (("a", {}), ("b", {}), ("c", {"seed": 2})):
        run(tmp_path / f"{name}.h5", photons, **changes)
    a, b, c = ((tmp_path / f"{name}.h5").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_broken_run_keeps_its_chunks_and_continues(photons, tmp_path):
    run(tmp_path / "whole.h5", photons)
    with pytest.raises(SimulacraError, match=r"worker died.*broken\.h5\.parts"):
        run(tmp_path / "broken.h5", photons, PretendedGeant4(dies_after=3))
    with pytest.raises(SimulacraError, match="another job"):
        run(tmp_path / "broken.h5", photons, seed=2)
    second = PretendedGeant4()
    run(tmp_path / "broken.h5", photons, second)
    assert second.done < 20
    assert (tmp_path / "broken.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_chunks_take_equal_times(photons):
    """Particles that are handed over at once cost little: many of them make one chunk."""
    made = card(events=400)
    primaries = Primaries(
        event=np.arange(400),
        pdg=np.full(400, 22),
        energy=np.repeat([2000.0, 30000.0], 200),
        position=np.repeat([[0.0, 0.0, -1.0], [0.0, 0.0, 2000.0]], 200, axis=0),
        direction=np.tile([0.0, 0.0, 1.0], (400, 1)),
        n_events=400,
    )
    setup = setup_of(made, primaries, {"photons": photons})
    bounds = HybridJob(setup, primaries, np.random.SeedSequence(1)).bounds
    sizes = [rows.stop - rows.start for rows in bounds]
    assert sum(sizes) == 400
    assert sizes[0] > 200
    assert set(sizes[1:]) <= {1, 2}


def test_a_chunk_of_a_job_does_not_fit_another(photons, tmp_path):
    primaries = card().particles[0].draw(4, np.random.default_rng(1))
    jobs = [
        HybridJob(setup_of(made, primaries, {"photons": photons}), primaries, seed)
        for made, seed in (
            (card(), np.random.SeedSequence(1)),
            (card(), np.random.SeedSequence(2)),
            (card(rules=[]), np.random.SeedSequence(1)),
            (card(cut="1 mm"), np.random.SeedSequence(1)),
        )
    ]
    identities = [str(job.identity) for job in jobs]
    assert len(set(identities)) == 4
    with Parts.of(jobs[0].identity, tmp_path / "e.h5") as parts:  # it can be written
        assert parts.folder.is_dir()


def test_there_must_be_particles(photons, tmp_path):
    none = card().particles[0].draw(1, np.random.default_rng(1)).take(slice(0))
    simulators = {"photons": photons}
    with pytest.raises(EventsError, match="no particles"):
        simulate_hybrid(card(), tmp_path / "e.h5", simulators=simulators, primaries=none)


def test_a_simulator_that_a_rule_asks_must_be_given(tmp_path):
    with pytest.raises(SimulatorError, match="no simulator 'photons' was given"):
        simulate_hybrid(card(), tmp_path / "e.h5", simulators={})
    simulate_hybrid(card(rules=[]), tmp_path / "e.h5", simulators={}, executor=PretendedGeant4())
