"""The classifier of a window: fast enough for a stream, and honest on equal samples."""

import time

import numpy as np
import pytest

from simulacra.monitoring.classifier import Classifier
from simulacra.monitoring.look import Look

FEATURES = 300


def look(rng, n, shift=0.0):
    """Return n events whose first ten observables are shifted."""
    scores = rng.standard_normal((n, FEATURES))
    scores[:, :10] += shift
    none = np.zeros((n, 0))
    return Look(np.zeros(n, int), none.astype(bool), none, {}, scores, {})


def test_a_window_takes_seconds_of_the_processor_and_equal_samples_are_equal():
    rng = np.random.default_rng(3)
    classifier = Classifier(look(rng, 1200), seed=1)
    classifier.auc(look(rng, 100))  # the first one loads the library
    start = time.process_time()
    same, other = classifier.auc(look(rng, 400)), classifier.auc(look(rng, 400, shift=0.5))
    assert time.process_time() - start < 5
    assert abs(same.value - 0.5) < 4 * same.error
    assert same.p_value > 1e-4
    assert other.value > 0.6
    assert other.p_value < 1e-4


def test_equal_seeds_give_equal_areas():
    rng = np.random.default_rng(4)
    reference, window = look(rng, 300), look(rng, 100)
    one, two = (Classifier(reference, seed=1).auc(window) for _ in range(2))
    assert one.value == pytest.approx(two.value)
