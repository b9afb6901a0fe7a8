"""Events that stay in files: each one is learned from once an epoch, in an order of the seed."""

import itertools
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from simulacra.datasets.samples import open_parts
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import write_events
from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.observables.selection_score import EpochSelection
from simulacra.training import fit, reader
from simulacra.training.reader import places_of, streamed
from simulacra.training.samples import training_events
from simulacra.training.streams import Stream, gone_through, selecting_rows
from tests.conftest import SMALL_MODELS, random_events

N = 150


@pytest.fixture
def files(barrel, tmp_path):
    """Two files of a calorimeter, in which each event has an energy of its own."""
    for name, events in (("a", random_events(barrel, 100)), ("b", random_events(barrel, 50, 1))):
        write_events(events, tmp_path / f"{name}.h5")
    return open_parts(str(tmp_path / "*.h5"))


@pytest.fixture
def stream(files, monkeypatch):
    monkeypatch.setattr(reader, "LARGEST_BLOCK", 16)
    return gone_through(files, 1, 40, selecting_rows(N, 0.1, 1))


def _batches(stream, barrel, seed=3):
    kind = "flow-matching"
    surrogate = Surrogate(
        find_model(kind), find_model(kind).Config.model_validate(SMALL_MODELS[kind]), barrel
    )
    return streamed(surrogate, stream, seed)


def _energies(batches, n, fabric=None):
    return batches.draw(n, torch.Generator()).conditions.sum(dim=1).double().numpy()


def test_an_epoch_has_every_event_once(stream, barrel):
    learned, selecting = stream
    assert (len(learned), len(selecting), len(learned.sample)) == (135, 15, 40)
    batches = _batches(learned, barrel)
    first, second = (np.concatenate([_energies(batches, 27) for _ in range(5)]) for _ in range(2))
    every = batches._conditions.sum(dim=1).double().numpy()
    for epoch in (first, second):
        np.testing.assert_allclose(np.sort(epoch), np.sort(every), rtol=1e-6)
    assert not np.array_equal(first, second)


def test_features_are_those_of_events_in_memory(stream, barrel):
    learned, _ = stream
    batches = _batches(learned, barrel)
    place = next(places_of(learned, 3, 0, 1))
    window = reader.window_of(batches._surrogate, learned, place, threading.Event())
    events = Events.concatenate([learned.take(rows) for rows in place.blocks])
    features, conditions = batches._surrogate.features(events)
    assert len(window.features) == len(features)
    order = np.random.default_rng(place.seed).permutation(place.events)
    assert torch.equal(window.features[order], features)
    assert torch.equal(window.conditions[order], conditions)


@pytest.mark.parametrize("taken", [10, 100, 200])
def test_a_stream_goes_on_where_it_stopped(stream, barrel, taken):
    learned, _ = stream
    whole, resumed = _batches(learned, barrel), _batches(learned, barrel)
    _energies(whole, taken)
    resumed.restore(whole.state())
    assert np.array_equal(_energies(whole, 60), _energies(resumed, 60))


def test_processes_share_an_epoch(stream):
    learned, _ = stream
    found = []
    for rank in range(3):
        places = itertools.takewhile(lambda p: p.seed[2] == 0, places_of(learned, 3, rank, 3))
        found += [rows.start for place in places for rows in place.blocks]
    assert sorted(found) == list(range(0, N, 16))


def test_errors_of_the_thread_are_raised_where_events_are_taken(stream, barrel, tmp_path):
    learned, _ = stream
    batches = _batches(learned, barrel)
    for path in tmp_path.glob("*.h5"):
        path.unlink()
    with pytest.raises(EventsError, match="no events file"):
        _energies(batches, 5)


def test_the_thread_ends_with_the_batches(stream, barrel):
    batches = _batches(stream[0], barrel)
    _energies(batches, 5)
    readers = [thread for thread in threading.enumerate() if thread.name == "events"]
    assert readers
    del batches
    for thread in readers:
        thread.join(10)
        assert not thread.is_alive()


def test_a_bad_event_of_a_stream_is_refused(files, barrel, tmp_path):
    events = random_events(barrel, 20)
    showers = events["showers"].copy()
    showers[3, 5] = np.nan
    write_events(Events(events.conditions, {"showers": showers}, barrel), tmp_path / "c.h5")
    with pytest.raises(EventsError, match="not finite"):
        gone_through(open_parts(str(tmp_path / "*.h5")), 1, None, selecting_rows(N, 0.1, 1))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flow-matching", "dnncalogan", "vae"])
@pytest.mark.filterwarnings("ignore:.* is selected without")
def test_models_learn_from_streams(small_card, tmp_path, kind):
    """Interrupted and resumed they are, bit by bit, what they are in one go."""
    card = small_card(kind, steps=4)
    card = card.model_copy(update={"data": card.data.model_copy(update={"stream": True})})
    train, selection = training_events(card, load_detector(card.detector))
    assert isinstance(train, Stream)
    whole = fit(card, train, selection, tmp_path / "whole", EpochSelection)

    def stop(phase, step, steps):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(card, train, selection, tmp_path / "parts", EpochSelection, stop)
    resumed = fit(card, train, selection, tmp_path / "parts", EpochSelection)
    for name, value in whole.surrogate.state_dict().items():
        assert torch.equal(resumed.surrogate.state_dict()[name], value), name


LEAVES = """
import sys
import torch
from simulacra.detectors import load_detector
from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.training import reader
from simulacra.training.streams import gone_through, selecting_rows
from simulacra.datasets.samples import open_parts

reader.LARGEST_BLOCK, reader.AT_ONCE = 16, 1
stream, _ = gone_through(open_parts(sys.argv[1]), 1, 40, selecting_rows(150, 0.1, 1))
model = find_model("flow-matching")
surrogate = Surrogate(model, model.Config(), stream.detector)
batches = reader.streamed(surrogate, stream, 1)
batches.draw(2, torch.Generator())
"""


@pytest.mark.slow
@pytest.mark.usefixtures("files")
def test_a_process_may_end_while_events_are_read(tmp_path):
    """A thread that still computes then would make torch abort the process."""
    command = [sys.executable, "-c", LEAVES, str(tmp_path / "*.h5")]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
