"""Events as tables and histograms."""

import sys

import numpy as np
import pytest

from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.errors import EventsError, MissingDependencyError
from simulacra.observables import observables_of
from simulacra.observables.frames import columns_of
from tests.drawings.test_event_displays import jets


def test_columns_are_conditions_and_sums_of_layers(events):
    columns = columns_of(events)
    assert {n for n in columns if n not in events.conditions} == {
        "response",
        *(f"layer_energy.{layer.name}" for layer in events.detector.layers),
    }
    for layer in events.detector.layers:
        sums = events["showers"][:, layer.cells].sum(axis=1)
        assert np.allclose(columns[f"layer_energy.{layer.name}"], sums, rtol=1e-5)
    assert list(columns_of(events, ["depth"])) == [*events.conditions, "depth"]
    with pytest.raises(EventsError, match="no observable 'nonsense' among response"):
        columns_of(events, ["nonsense"])


def test_columns_of_tracks_and_jets():
    tracks = load_sample("selection", "alice-tpc")[:20]
    columns = columns_of(tracks)
    assert np.array_equal(columns["clusters"], (tracks["cluster_mask"] > 0).sum(axis=1))
    assert "dedx" in columns
    shapes = ["image_mass", "image_pt", "tau21"]
    assert list(columns_of(jets(3))) == [*jets(3).conditions, *shapes]


def test_a_table(events):
    pytest.importorskip("pandas")
    frame = events.to_pandas()
    assert len(frame) == len(events)
    assert list(frame.columns) == list(columns_of(events))


def test_no_pandas_is_one_line(events, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'simulacra\[pandas\]'"):
        events.to_pandas()


@pytest.mark.parametrize("bins", [None, 7, [0.0, 1.0, 2.0, 1e9]])
def test_every_finite_value_is_counted_once(bins):
    events = load_sample("selection")[:200]
    for name in ("response", "layer_energy.strips", "width_eta.middle", "energy", "impact_eta"):
        histogram = events.to_hist(name, bins)
        assert histogram.sum(flow=True) == 200
        assert histogram.axes[0].name == name
        if isinstance(bins, int):
            assert histogram.sum() == 200
            assert len(histogram.axes[0]) == bins
    response = next(o for o in observables_of(events.detector) if o.name == "response")
    edges = events.to_hist("response").axes[0].edges
    counts, _ = np.histogram(response(events), edges)
    assert np.array_equal(events.to_hist("response").values(), counts)


def test_categories_have_a_bin_each():
    tracks = load_sample("selection", "alice-tpc")
    histogram = tracks.to_hist("pdg")
    for pdg, count in zip(histogram.axes[0], histogram.values(), strict=True):
        assert count == np.count_nonzero(tracks["pdg"] == pdg)


def test_what_a_track_does_not_define_is_not_counted():
    tracks = load_sample("selection", "alice-tpc")[:50]
    mask = np.zeros_like(tracks["cluster_mask"])
    mask[:10] = tracks["cluster_mask"][:10]
    response = {"clusters": tracks["clusters"], "cluster_mask": mask}
    few = type(tracks)(tracks.conditions, response, tracks.detector)
    defined = np.count_nonzero(mask.any(axis=1))
    assert few.to_hist("rmse_true").sum(flow=True) == defined > 5
    with pytest.raises(EventsError, match="rmse_true: no finite values"):
        few[10:].to_hist("rmse_true")


def test_unknown_names_are_refused(events):
    with pytest.raises(EventsError, match="no observable 'nonsense' among energy"):
        events.to_hist("nonsense")
    assert load_detector("jet-image").name == jets(1).detector.name
    assert jets(4).to_hist("process").values().tolist() == [0, 4]
