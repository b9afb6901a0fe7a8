"""Epoch selection of tracks: the same code, other observables."""

import numpy as np
import pytest

from simulacra.observables.selection_score import UNDEFINED, EpochSelection
from tests.tracks import changed, tracks


@pytest.fixture(scope="module")
def events():
    return tracks(400, momentum=(300.0, 10_000.0))


@pytest.fixture(scope="module")
def selection(events):
    return EpochSelection(events)


def test_tracks_are_selected_by_their_own_observables(selection, events):
    score, rows = selection.score(events)
    assert score == 0
    assert selection.primary.name == "rmse_true"
    assert {"rmse", "dedx"} <= set(selection.groups)
    assert all(row.label.startswith("pT ") for row in rows)


def test_worse_tracks_score_worse(selection, events):
    clusters = events["clusters"]
    rng = np.random.default_rng(0)
    scores = [selection.score(tracks(400, seed=9, momentum=(300.0, 10_000.0)))[0]]
    for blur in (0.5, 5.0, 50.0):
        blurred = clusters + blur * rng.standard_normal(clusters.shape) * [1, 1, 1, 0, 0]
        scores.append(selection.score(changed(events, blurred))[0])
    assert scores == sorted(scores)
    assert scores[0] < 0.3 < 1 < scores[-1]


def test_no_clusters_at_all_score_badly_and_broken_ones_not_at_all(selection, events):
    score, rows = selection.score(changed(events, mask=np.zeros_like(events["cluster_mask"])))
    assert UNDEFINED / 2 < score < np.inf
    assert all(np.isnan(row.primary_mean) for row in rows)
    broken = events["clusters"].copy()
    broken[0, np.flatnonzero(events["cluster_mask"][0])[0], 0] = np.inf
    with np.errstate(invalid="ignore"):
        assert np.isnan(selection.score(changed(events, broken))[0])
