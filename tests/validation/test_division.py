"""Divisions cover every event once; what they compare exists."""

import numpy as np

from simulacra.detectors import load_detector
from simulacra.observables import observables_of
from simulacra.validation.division import track_divisions
from simulacra.validation.kinds import kind_of
from tests.tracks import tracks


def test_parts_of_tracks_cover_every_track_once():
    events = tracks(500)
    for division in track_divisions(events.detector):
        chosen = np.sum([part.select(events.conditions) for part in division.parts], axis=0)
        assert np.all(chosen == 1), division.name
        assert len({part.label for part in division.parts}) == len(division.parts)


def test_the_edge_of_the_beam_belongs_to_the_last_part():
    events = tracks(2)
    columns = dict(events.conditions.columns)
    columns["pseudorapidity"] = np.array([-0.9, 0.9], np.float32)
    last = track_divisions(events.detector)[0].parts[-1]
    assert last.select(type(events.conditions)(columns)).all()


def test_species_are_those_of_the_detector_without_their_charge():
    (species,) = (d for d in track_divisions(load_detector("alice-tpc")) if d.name == "species")
    assert [part.label for part in species.parts] == ["e", "mu", "pi", "K", "p"]


def test_divisions_compare_observables_that_there_are():
    for name in ("alice-tpc", "atlas-barrel", "jet-image"):
        detector = load_detector(name)
        for division in kind_of(detector).divisions(detector):
            assert set(division.observables) <= {o.name for o in observables_of(detector)}
    assert {kind_of(load_detector(name)).scale.one for name in ("jet-image", "alice-tpc")} == {
        "momentum"
    }
