import pickle

import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events, require_same_detector
from tests.conftest import random_events


def test_slices_and_masks_put_together_give_the_whole(events):
    mask = events.conditions["energy"] > 2000
    parts = Events.concatenate([events.take(mask), events.take(~mask)])
    order = np.concatenate([np.flatnonzero(mask), np.flatnonzero(~mask)])
    assert np.array_equal(parts["showers"], events["showers"][order])
    assert np.array_equal(parts.conditions["impact_phi"], events.conditions["impact_phi"][order])


def test_response_must_fit_the_detector(events):
    with pytest.raises(EventsError, match="atlas-barrel needs"):
        Events(events.conditions, {"showers": np.zeros((64, 100))}, events.detector)
    with pytest.raises(EventsError, match="reads out showers"):
        Events(events.conditions, {"images": np.zeros((64, 25, 25))}, events.detector)


def test_other_detectors_are_refused(events, barrel):
    changed = barrel.model_copy(
        update={"volume": barrel.volume.model_copy(update={"width": (1280.0, 640.0)})}
    )
    with pytest.raises(EventsError, match="same name, other geometry"):
        require_same_detector(barrel, changed)
    other = random_events(load_detector("calogan"), 3)
    with pytest.raises(EventsError, match="calogan, not of atlas-barrel"):
        Events.concatenate([events, other])


def test_check_finds_what_is_not_finite(events):
    showers = events["showers"].copy()
    showers[3, 5] = np.nan
    bad = Events(events.conditions, {"showers": showers}, events.detector)
    with pytest.raises(EventsError, match="1 values that are not finite"):
        bad.check()


def test_events_reach_worker_processes_unchanged(events):
    back = pickle.loads(pickle.dumps(events))
    assert np.array_equal(back["showers"], events["showers"])
    assert np.array_equal(back.conditions["energy"], events.conditions["energy"])
    assert back.detector == events.detector


def test_events_are_sliced_with_their_provenance(events):
    told = Events(events.conditions, events.response, events.detector, {"step": "simulate"})
    mask = events["energy"] > 2000
    for rows, places in (
        (slice(10), np.arange(10)),
        (slice(None, None, -1), np.arange(64)[::-1]),
        (mask, np.flatnonzero(mask)),
        ([5, 3], np.array([5, 3])),
        (7, np.array([7])),
        ([], np.array([], int)),
    ):
        part = told[rows]
        assert part.provenance == told.provenance
        assert part.detector is told.detector
        assert np.array_equal(part["showers"], events["showers"][places])
        assert np.array_equal(part["energy"], events.conditions["energy"][places])
    assert sum(len(event) for event in told) == len(told)
    with pytest.raises(IndexError):
        _ = told[64]


def test_names_are_those_of_the_response_and_the_conditions(events):
    assert events["showers"] is events.response["showers"]
    assert events["impact_eta"] is events.conditions["impact_eta"]
    with pytest.raises(EventsError, match="no 'images' among showers, energy"):
        _ = events["images"]
