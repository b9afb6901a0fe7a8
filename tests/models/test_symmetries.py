"""What a sample bears out is used; what it denies is not, and the note says why."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.models import find_model, symmetries
from simulacra.models.calorimeter.flow_matching import FlowMatchingConfig
from tests.conftest import SMALL_MODELS, random_events
from tests.detectors.calorimeter.test_places import IMPACTS, RINGS, TUBE, own
from tests.geometry import point_showers

WIDE = {"x": ["-60 mm", "60 mm"], "y": ["-60 mm", "60 mm"]}


def decide(config, events):
    """The symmetries alone, without what else is decided."""
    return symmetries.decide(config, events.detector, events)


def test_the_shipped_sample_bears_out_both_mirrors():
    config, notes = decide(FlowMatchingConfig(), load_sample("train"))
    assert config.symmetries == ("mirror-eta", "mirror-phi")
    assert notes == ("symmetries used: mirror-eta, mirror-phi",)


def test_a_shower_beside_its_impact_denies_a_mirror():
    detector = own(beam=WIDE)
    config, _ = decide(FlowMatchingConfig(), point_showers(detector))
    assert config.symmetries == ("mirror-x", "mirror-y")
    config, notes = decide(FlowMatchingConfig(), point_showers(detector, off=5.0))
    assert config.symmetries == ("mirror-y",)
    assert "mirror-x is not used: in the sample the centres along x in calo differ" in notes[1]


def test_a_handful_of_events_denies_nothing():
    """Too few to be judged, on both sides: what the description says holds."""
    config, notes = decide(FlowMatchingConfig(), point_showers(own(beam=WIDE), 12))
    assert config.symmetries == ("mirror-x", "mirror-y")
    assert notes == ("symmetries used: mirror-x, mirror-y",)


def test_a_beam_on_one_side_teaches_nothing_of_the_other():
    detector = own(beam={"x": ["20 mm", "40 mm"], "y": ["-40 mm", "60 mm"]})
    config, notes = decide(FlowMatchingConfig(), point_showers(detector))
    assert config.symmetries == ("mirror-y",)
    assert notes[1] == "mirror-x is not used: all events of the sample are on one side"


def test_sectors_must_be_alike_in_the_sample_too():
    """A point beam on the axis says so; the sample may be of one that was not."""
    said = own(RINGS, declared={}, volume=TUBE)
    assert decide(FlowMatchingConfig(), point_showers(said))[0].symmetries == ("turns", "mirror-y")
    true = own(RINGS, volume=TUBE, beam={"x": "8 mm", "y": "5 mm"})
    events = point_showers(true)
    taken = Events(Conditions({"energy": events.conditions["energy"]}), events.response, said)
    config, notes = decide(FlowMatchingConfig(), taken)
    assert config.symmetries == ()
    assert notes[0] == "symmetries used: none"
    assert "turns is not used: in the sample the sides of calo differ" in notes[1]
    beside = own(RINGS, declared={}, volume=TUBE, beam={"x": "8 mm"})
    assert decide(FlowMatchingConfig(), point_showers(beside))[0].symmetries == ("mirror-y",)


def test_the_particle_forbids_no_mirror():
    species = {"pdg": {"role": "categorical", "categories": [11, 22]}}
    detector = own(declared=IMPACTS | species, beam=WIDE)
    events = point_showers(own(beam=WIDE))
    pdg = np.resize(np.array([11, 22], np.int32), len(events))
    columns = {**events.conditions.columns, "pdg": pdg}
    mixed = Events(Conditions(columns), events.response, detector)
    assert decide(FlowMatchingConfig(), mixed)[0].symmetries == ("mirror-x", "mirror-y")


def test_unknown_symmetries_are_refused_and_those_given_are_kept(barrel):
    events = random_events(barrel, 200)
    given = FlowMatchingConfig(symmetries=("mirror-phi",))
    assert decide(given, events)[0] == given
    with pytest.raises(CardError, match="have mirror-eta, mirror-phi, not turns"):
        decide(FlowMatchingConfig(symmetries=("turns",)), events)


def test_other_models_have_none(barrel):
    config = find_model("dnncalogan").Config.model_validate(SMALL_MODELS["dnncalogan"])
    assert decide(config, random_events(barrel, 10)) == (config, ())


@pytest.mark.parametrize("kind", ["wgan", "calogan", "gan-3d", "gan-3d-angle"])
def test_a_model_that_does_not_look_at_the_impact_is_none_for_cells_that_stand_still(kind):
    with pytest.raises(CardError, match=f"model {kind} does not look at impact_x, impact_y"):
        find_model(kind).check(own(beam=WIDE))
    find_model(kind).check(load_detector("clic-ecal-angle"))
