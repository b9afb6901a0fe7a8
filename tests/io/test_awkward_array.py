"""Events as records of awkward: nothing that is there is lost."""

import sys

import numpy as np
import pytest

from simulacra.datasets.samples import load_sample
from simulacra.errors import MissingDependencyError
from tests.drawings.test_event_displays import jets

awkward = pytest.importorskip("awkward")


@pytest.mark.slow
def test_hits_of_showers(events):
    array = events.to_awkward()
    assert len(array) == len(events)
    showers = np.zeros_like(events["showers"])
    for i, hits in enumerate(array.hits):
        showers[i, hits.cell] = hits.energy
        for number, layer in enumerate(events.detector.layers):
            inside = (hits.cell >= layer.cells.start) & (hits.cell < layer.cells.stop)
            assert awkward.all((hits.layer == number) == inside)
    assert np.array_equal(showers, events["showers"])
    for name, column in events.conditions.items():
        assert np.array_equal(array[name].to_numpy(), column)
    assert len(events[:0].to_awkward()) == 0


def test_clusters_of_tracks():
    tracks = load_sample("selection", "alice-tpc")[:20]
    array = tracks.to_awkward()
    clusters = np.zeros_like(tracks["clusters"])
    for i, found in enumerate(array.clusters):
        for place, name in enumerate(("x", "y", "z", "q", "q_max")):
            clusters[i, found.row, place] = found[name]
    assert np.array_equal(clusters, tracks["clusters"])
    assert np.array_equal(awkward.num(array.clusters), (tracks["cluster_mask"] > 0).sum(axis=1))


def test_images():
    assert np.array_equal(jets(3).to_awkward().images.to_numpy(), jets(3)["images"])


def test_no_awkward_is_one_line(events, monkeypatch):
    monkeypatch.setitem(sys.modules, "awkward", None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        events.to_awkward()
