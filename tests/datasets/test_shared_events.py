import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.datasets.shared_events import digests_of, event_digests, repeated, shared
from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.io import EventFile, write_events
from tests.conftest import random_events, random_tracks


@pytest.mark.parametrize("make", [random_events, random_tracks])
def test_copies_are_found_wherever_they_stand(make):
    name = "atlas-barrel" if make is random_events else "alice-tpc"
    events = make(load_detector(name), 40, seed=1)
    others = make(events.detector, 30, seed=2)
    assert repeated(digests_of(events)) == 0
    assert shared(digests_of(events), digests_of(others)) == 0
    mixed = Events.concatenate([others, events.take(np.array([7, 3, 7]))])
    assert repeated(digests_of(mixed)) == 1
    assert shared(digests_of(mixed), digests_of(events)) == 3
    assert shared(digests_of(events), digests_of(mixed)) == 2


def test_files_and_precision_do_not_hide_a_copy(events, tmp_path):
    write_events(events, tmp_path / "e.h5")
    double = Events(
        events.conditions, {"showers": events["showers"].astype(np.float64)}, events.detector
    )
    assert np.array_equal(digests_of(EventFile(tmp_path / "e.h5")), digests_of(events))
    assert np.array_equal(digests_of(double), digests_of(events))


def test_events_that_leave_next_to_nothing_are_not_copies(barrel):
    showers = np.zeros((5, barrel.n_cells), np.float32)
    showers[:4, :2] = 1.0
    columns = {name: np.zeros(5) for name in barrel.conditions}
    events = Events(Conditions({**columns, "energy": np.ones(5)}), {"showers": showers}, barrel)
    assert len(event_digests(events)) == 0
