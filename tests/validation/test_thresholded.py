"""A threshold empties what lies below it, and hides nothing that is wrong."""

import numpy as np
import pytest

from simulacra.errors import SimulacraError
from simulacra.events import pieces
from simulacra.validation import Thresholded, measured, validate
from tests.conftest import random_events, small_sample


def test_cells_below_the_threshold_are_empty(events):
    emptied = Thresholded(events, 0.5)
    assert len(emptied) == len(events)
    [(_, found)] = pieces(emptied)
    cells = events["showers"]
    assert np.array_equal(found["showers"], np.where(cells < 0.5, 0, cells))
    assert found["showers"].dtype == cells.dtype
    assert found.provenance["emptied_below_mev"] == 0.5
    assert np.array_equal(found.conditions["energy"], events.conditions["energy"])


def test_broken_numbers_stay(barrel):
    events = random_events(barrel, 20)
    events["showers"][3, 7], events["showers"][4, 7] = -0.1, np.nan
    sample = measured(Thresholded(events, 1.0))
    assert sample.negative.sum() == 1
    assert sample.non_finite.sum() == 1


def test_a_difference_below_the_threshold_is_none(barrel):
    full = random_events(barrel, 400)
    fast = random_events(barrel, 400)
    faint = np.random.default_rng(1).random(fast["showers"].shape) < 0.2
    fast["showers"][faint & (fast["showers"] == 0)] = 1e-3
    samples = [measured(Thresholded(events, 0.01)) for events in (full, fast)]
    comparisons = validate(*samples).pooled.comparisons.values()
    assert max(c.metrics["separation"].value for c in comparisons) == 0


def test_tracks_have_no_cells():
    with pytest.raises(SimulacraError, match="no calorimeter"):
        Thresholded(small_sample("gan-mlp", 2), 1.0)
