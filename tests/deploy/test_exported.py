"""An exported file is a fast simulator like any other."""

import json
import pickle

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.files.digests import MARK, PLACEHOLDER, seal
from simulacra.runtime.contract import KEY
from simulacra.simulators.exported import ExportedSimulator
from simulacra.simulators.load import load_simulator

pytestmark = pytest.mark.slow


def test_gives_events_of_its_detector(gan, gan_file, events):
    simulator = load_simulator(gan_file)
    assert isinstance(simulator, ExportedSimulator)
    assert simulator.detector == gan.detector
    generated = simulator.simulate(events.conditions, seed=1)
    assert isinstance(generated, Events)
    assert np.array_equal(generated["showers"], simulator.simulate(events.conditions, 1)["showers"])
    assert generated.provenance["step"] == "generate"
    assert generated.provenance["seed"] == 1
    outside = simulator.outside(events.conditions)
    assert np.array_equal(outside, gan.outside(events.conditions))


def test_far_outside_the_training_is_refused_as_in_torch(gan, gan_file, events):
    """The whole rule in the simulator, that of the ranges in the runtime alone."""
    exported = load_simulator(gan_file)
    high = 3 * gan.ranges["energy"][1]
    far = Conditions({**events.conditions.columns, "energy": np.full(len(events), high)})
    for simulate in (
        lambda **how: gan.simulate(far, 1, **how)["showers"],
        lambda **how: exported.simulate(far, 1, **how)["showers"],
        lambda **how: next(exported.stream(far, 1, **how))["showers"],
        lambda **how: exported.runtime.generate(far.columns, 1, **how)["showers"],
    ):
        with pytest.raises(SimulatorError, match=f"{len(events)} events, .* far outside"):
            simulate()
        assert len(simulate(extrapolate=True)) == len(events)


def test_saves_itself(gan_file, tmp_path):
    load_simulator(gan_file).save(tmp_path / "copy.onnx")
    assert (tmp_path / "copy.onnx").read_bytes() == gan_file.read_bytes()


def test_simulators_pickle(gan, gan_file, events):
    """For worker processes: file or folder, before and after the detector was read."""
    exported = load_simulator(gan_file)
    for simulator in (gan, exported, load_simulator(gan_file)):
        expected = simulator.simulate(events.conditions, seed=2)
        again = pickle.loads(pickle.dumps(simulator))
        assert again.detector == simulator.detector
        found = again.simulate(events.conditions, seed=2)
        assert np.array_equal(found["showers"], expected["showers"])


def test_same_distribution_as_torch(photons, photons_file, events):
    """The noise is another, the showers are of the same kind."""
    energies = np.full(2000, 16_000.0)
    rows = np.arange(2000) % len(events)
    conditions = type(events.conditions)(
        {name: events.conditions[name][rows] for name in events.conditions.columns}
        | {"energy": energies}
    )
    ours, theirs = (
        simulator.simulate(conditions, seed=1)["showers"].sum(axis=1, dtype=np.float64)
        for simulator in (photons, load_simulator(photons_file))
    )
    error = ours.std() * np.sqrt(2 / 2000)
    assert abs(ours.mean() - theirs.mean()) < 4 * error
    assert not np.allclose(ours, theirs)


def test_shipped_name_and_folder_still_load():
    assert load_simulator("atlas-barrel-photons").detector.name == "atlas-barrel"


def _resealed(path, copy, change):
    """Write the file with another contract and the right digest, as a hostile hand would."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(path)
    content = next(each for each in model.metadata_props if each.key == KEY)
    contract = json.loads(content.value)
    change(contract)
    content.value = json.dumps(contract)
    for each in model.metadata_props:
        if each.value.startswith(MARK.decode()):
            each.value = PLACEHOLDER
    copy.write_bytes(seal(model.SerializeToString()))
    return copy


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["columns"][0].update(name={}),
        lambda c: c["columns"][0].update(role="loud"),
        lambda c: c["columns"][0].update(range=[float("nan"), 1]),
        lambda c: c["columns"][0].update(range=[10**400, 1]),
        lambda c: c["columns"][0].update(range=[2, 1]),
        lambda c: c["columns"].pop(),
        lambda c: c["outputs"][0].update(name="zzz"),
        lambda c: c["outputs"][0].update(shape=[10**12]),
        lambda c: c.update(noise=[0.5]),
        lambda c: c.update(facts=3),
        lambda c: c["facts"].update(particles={"gamma": 1}),
        lambda c: c["facts"].update(own_ranges={"gamma": [2, 1]}),
        lambda c: c.update(model="zzz"),
        lambda c: c.update(detector_yaml="kind: x"),
    ],
)
def test_files_whose_parts_do_not_fit_are_refused(change, gan_file, tmp_path):
    path = _resealed(gan_file, tmp_path / "hostile.onnx", change)
    with pytest.raises(SimulatorError, match=r"hostile.onnx: damaged: |hostile.onnx: .* unknown"):
        load_simulator(path)


def test_facts_on_the_export_may_be_missing(gan_file, events, tmp_path):
    path = _resealed(gan_file, tmp_path / "plain.onnx", lambda c: c.update(facts={}))
    found = load_simulator(path).simulate(events.conditions, 1)
    expected = load_simulator(gan_file).simulate(events.conditions, 1)
    assert np.array_equal(found["showers"], expected["showers"])
