"""Displays of single events show what the read-out holds, and leave no global state."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure

from simulacra.conditions import Conditions
from simulacra.detectors import builtin_detectors, load_detector
from simulacra.drawings.calorimeter.event import MOST_LAYERS
from simulacra.errors import EventsError
from simulacra.events import Events
from tests.conftest import random_events, random_tracks
from tests.tracks import tracks


@pytest.fixture(autouse=True)
def unchanged_matplotlib():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
    from matplotlib import _pylab_helpers

    assert not _pylab_helpers.Gcf.figs


def jets(n):
    detector = load_detector("jet-image")
    columns = {name: np.ones(n) for name in detector.conditions}
    images = np.random.default_rng(1).exponential(1.0, (n, 25, 25)).astype(np.float32)
    return Events(Conditions(columns), {"images": images}, detector)


def _cells(figure):
    return [c for axes in figure.axes for c in axes.collections if isinstance(c, PatchCollection)]


@pytest.mark.parametrize("name", ["atlas-barrel", "calogan", "calochallenge-1-photons"])
def test_every_cell_is_drawn_with_its_energy(name):
    events = random_events(load_detector(name), 4)
    figure = events.plot(2)
    assert isinstance(figure, Figure)
    drawn = np.concatenate([cells.get_array().filled(0) for cells in _cells(figure)])
    assert np.allclose(drawn, events["showers"][2])
    places = [len(cells.get_paths()) for cells in _cells(figure)]
    assert places == [la.shape[0] * la.shape[1] for la in events.detector.layers]


def test_of_many_layers_those_with_the_most_energy_are_drawn():
    detector = load_detector("calochallenge-2")
    showers = np.zeros((1, detector.n_cells), np.float32)
    for layer in detector.layers[10:20]:
        showers[0, layer.cells] = layer.depth  # the deeper, the more
    events = Events(Conditions({"energy": np.array([1e3])}), {"showers": showers}, detector)
    figure = events.plot()
    depths = [float(cells.get_array().max()) for cells in _cells(figure)]
    expected = [layer.depth for layer in detector.layers[10:20]][-MOST_LAYERS:]
    assert np.allclose(depths, expected)
    assert f"{45 - MOST_LAYERS} layers with less energy" in figure.get_suptitle()


def test_clusters_of_a_track_are_where_they_are():
    events = tracks(3, momentum=(300.0, 10_000.0))
    end, side = events.plot(1).axes
    points = events["clusters"][1][events["cluster_mask"][1] > 0]
    (xy,), (rz,) = ([c.get_offsets() for c in axes.collections] for axes in (end, side))
    assert np.allclose(xy, points[:, :2], rtol=1e-6)
    assert np.allclose(rz, np.column_stack([points[:, 2], np.hypot(*points[:, :2].T)]), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "events",
    [random_events(load_detector("atlas-barrel"), 2), random_tracks(load_detector("alice-tpc"), 2)],
    ids=["calorimeter", "tpc"],
)
def test_empty_and_broken_events_are_drawn(events):
    for value in (0.0, np.nan):
        response = {
            name: np.full_like(a, value)
            for name, a in events.response.items()
            if a.dtype.kind == "f"
        }
        broken = Events(events.conditions, {**events.response, **response}, events.detector)
        assert broken.plot(-1)._repr_png_().startswith(b"\x89PNG")


def test_jets_and_numbers_of_events():
    events = jets(2)
    assert events.plot(1)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(EventsError, match="no event 2 among 2"):
        events.plot(2)


@pytest.mark.parametrize("name", builtin_detectors())
def test_detectors_plot_themselves(name):
    assert isinstance(load_detector(name).plot(), Figure)
