"""Whole events of a TPC: which clusters are merged, and into what."""

import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.fullsim.tpc.crossings import pads_in_circle
from simulacra.mixing.chambers import read_chamber, write_chamber
from simulacra.mixing.pulses import Pulses
from simulacra.mixing.verb import overlay
from tests.tracks import tracks

SATURATION = 1023


@pytest.fixture(scope="module")
def tpc():
    return load_detector("alice-tpc")


def clusters_at(tpc, row, pads, times, total, largest):
    """Clusters (m, 5) of a pad row at pads and time bins from phi = 0 and the end plate."""
    row = np.broadcast_to(row, len(pads))
    radius = tpc.row_radii[row]
    phi = 2 * np.pi * np.asarray(pads) / pads_in_circle(tpc)[row]
    z = tpc.drift_length - np.asarray(times) * tpc.electronics.sampling * tpc.drift.velocity
    return np.column_stack([radius * np.cos(phi), radius * np.sin(phi), z, total, largest])


def merged(tpc, row, pads, times, total, largest, events=None):
    clusters = clusters_at(tpc, row, pads, times, total, largest)
    events = np.zeros(len(pads), np.int64) if events is None else np.asarray(events)
    pulses = Pulses.of(events, np.broadcast_to(row, len(pads)).copy(), clusters, tpc)
    leader = pulses.leaders(tpc.electronics.window)
    return leader, *pulses.found(leader, tpc), pulses


def test_two_in_one_window_are_their_charge_weighted_mean(tpc):
    leader, heads, found, pulses = merged(
        tpc, 10, [100.0, 101.0], [400.0, 402.0], [90, 30], [20, 9]
    )
    assert leader.tolist() == [0, 0]
    assert heads.tolist() == [0]
    expected = clusters_at(tpc, 10, [100.25], [400.5], [120], [0])[0]
    np.testing.assert_allclose(found[0, :4], expected[:4], rtol=1e-9)
    share = np.exp(-(1 / pulses.pad_width[1] ** 2 + 4 / pulses.time_width[1] ** 2) / 2)
    assert found[0, 4] == pytest.approx(20 + 9 * share)


def test_what_lies_on_top_of_another_adds_up_to_saturation(tpc):
    *_, found, _ = merged(tpc, 3, [50.0, 50.0], [100.0, 100.0], [10, 20], [4, 8])
    assert found[0, 3:].tolist() == pytest.approx([30, 12])
    *_, found, _ = merged(tpc, 3, [50.0, 50.0], [100.0, 100.0], [5000, 20], [1000, 800])
    assert found[0, 4] == SATURATION


@pytest.mark.parametrize(
    ("pads", "times", "events"),
    [
        ([100, 102.1], [400, 400], [0, 0]),  # the window reaches 2 pads and 4 time bins
        ([100, 100], [400, 404.1], [0, 0]),
        ([100, 100], [400, 400], [0, 1]),
    ],
)
def test_beyond_the_window_or_in_another_event_both_are_found(tpc, pads, times, events):
    leader, *_ = merged(tpc, 10, pads, times, [9, 9], [5, 6], events)
    assert leader.tolist() == [0, 1]


def test_the_end_plates_are_apart(tpc):
    """Two pulses that drift to either side arrive at the same pad and time."""
    clusters = clusters_at(tpc, 5, [10.0, 10.0], [300.0, 300.0], [9, 9], [5, 5])
    clusters[1, 2] *= -1
    pulses = Pulses.of(np.zeros(2, np.int64), np.array([5, 5]), clusters, tpc)
    assert pulses.leaders((2, 4)).tolist() == [0, 1]
    np.testing.assert_allclose(pulses.found(np.array([0, 1]), tpc)[1], clusters, rtol=1e-9)


def test_the_first_pad_is_beside_the_last(tpc):
    circle = pads_in_circle(tpc)[7]
    leader, _, found, _ = merged(tpc, 7, [0.5, circle - 0.5], [200, 200], [10, 10], [5, 6])
    assert leader.tolist() == [1, 1]
    assert np.arctan2(found[0, 1], found[0, 0]) == pytest.approx(0, abs=1e-12)


def test_a_chain_is_taken_from_its_largest_as_a_cluster_finder_does(tpc):
    """Of four in a row, 1.5 pads apart, the second takes its neighbours; the last stays."""
    pads, largest = [10.0, 11.5, 13.0, 14.5], [5, 9, 8, 7]
    leader, *_ = merged(tpc, 0, pads, [100] * 4, [9] * 4, largest)
    assert leader.tolist() == [1, 1, 1, 3]
    order = np.array([2, 0, 3, 1])
    turned, *_ = merged(tpc, 0, np.array(pads)[order], [100] * 4, [9] * 4, np.array(largest)[order])
    assert order[turned].tolist() == leader[order].tolist()


def slow_leaders(pulses, reach):
    """The rule in words: the largest takes all in its window, then the largest that is left."""
    leader = np.full(len(pulses.pad), -1)
    for i in np.argsort(-pulses.largest):
        if leader[i] >= 0:
            continue
        half = pulses.circle[i] / 2
        d_pad = (pulses.pad - pulses.pad[i] + half) % (2 * half) - half
        near = (np.abs(d_pad) <= reach[0]) & (np.abs(pulses.time - pulses.time[i]) <= reach[1])
        near &= (pulses.group == pulses.group[i]) & (leader < 0)
        leader[near] = i
    return leader


def test_many_at_once_are_as_one_after_another(tpc):
    rng = np.random.default_rng(1)
    m = 2000
    row, event = rng.integers(0, 4, m), rng.integers(0, 2, m)
    pads, times = rng.uniform(0, 60, m), rng.uniform(0, 60, m)
    clusters = clusters_at(tpc, row, pads, times, rng.exponential(9, m), rng.exponential(5, m))
    pulses = Pulses.of(event, row, clusters, tpc)
    assert pulses.leaders((2, 4)).tolist() == slow_leaders(pulses, (2, 4)).tolist()
    heads, found = pulses.found(pulses.leaders((2, 4)), tpc)
    assert len(heads) < m / 2
    assert found[:, 3].sum() == pytest.approx(clusters[:, 3].sum())  # charge is conserved


@pytest.fixture(scope="module")
def sample():
    made = tracks(60)
    assert isinstance(made, Events)
    return made


def test_whole_events_hold_all_tracks(sample, tmp_path):
    mixed = overlay(sample[:20], sample[20:], mean=5.0, seed=3)
    alone = np.count_nonzero(sample[:20]["cluster_mask"])
    added = np.count_nonzero(sample[20:]["cluster_mask"][mixed.overlaid])
    assert mixed.tracks.sum() == alone + added
    assert np.all(np.diff(mixed.event) >= 0)
    assert mixed.track.max() <= np.bincount(mixed.overlaid_event).max()
    charge = (
        sample[:20]["clusters"][..., 3].sum() + sample[20:]["clusters"][mixed.overlaid, :, 3].sum()
    )
    assert mixed.clusters[:, 3].sum() == pytest.approx(charge, rel=1e-5)
    write_chamber(mixed, tmp_path / "events.h5")
    back = read_chamber(tmp_path / "events.h5")
    for name in ("event", "row", "clusters", "track", "tracks", "overlaid", "overlaid_event"):
        assert np.array_equal(getattr(back, name), getattr(mixed, name))
    assert back.provenance["overlay"][0]["drawn"] == len(mixed.overlaid)
    assert "tracks of an event" in repr(back)


def test_without_others_the_clusters_are_those_of_the_tracks(sample):
    whole = overlay(sample, sample, mean=0.0)
    event, row = np.nonzero(sample["cluster_mask"])
    assert whole.event.tolist() == event.tolist()
    assert whole.row.tolist() == row.tolist()
    assert np.array_equal(whole.clusters, sample["clusters"][event, row])
    assert set(whole.tracks.tolist()) == {1}
    assert set(whole.track.tolist()) == {0}
