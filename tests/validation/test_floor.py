import numpy as np
import pytest

from simulacra.histograms import binning_of
from simulacra.observables import observables_of
from simulacra.validation.floor import Floor, bootstrap_floor, floor_of, verdict_of
from simulacra.validation.metrics import separation, separation_power

from .samples import halves


def test_the_floor_is_reproducible_and_falls_with_statistics():
    counts = np.array([0, 10, 40, 50, 20, 0])
    floors = [bootstrap_floor(counts, n, n, np.random.default_rng(3)) for n in (50, 500, 5000)]
    assert floors[0] == bootstrap_floor(counts, 50, 50, np.random.default_rng(3))
    assert floors[0].mean > 5 * floors[1].mean > 25 * floors[2].mean > 0
    assert all(floor.quantile > floor.mean for floor in floors)


def test_the_floor_is_that_of_two_real_halves_of_geant4():
    scores, floors, above = [], [], 0
    rng = np.random.default_rng(0)
    for energy in (2000.0, 16000.0):
        for seed in range(4):
            first, second = halves(energy, seed)
            for observable in observables_of(first.detector):
                a, b = observable(first), observable(second)
                floor = floor_of(a, len(b), rng)
                score = separation_power(a, b).value
                scores.append(score)
                floors.append(floor.mean)
                above += score > floor.quantile
    assert 0.85 < np.mean(scores) / np.mean(floors) < 1.15
    assert above / len(scores) < 0.12


def test_an_independent_sample_takes_the_place_of_the_bootstrap():
    rng = np.random.default_rng(0)
    reference, independent = rng.normal(size=(2, 300))
    floor = floor_of(reference, 300, rng, independent)
    binning = binning_of(reference)
    score = separation(binning.counts(reference), binning.counts(independent))
    assert (floor.kind, floor.mean) == ("sample", pytest.approx(float(score)))
    assert floor.quantile >= floor.mean
    assert floor_of(reference, 300, rng, np.empty(0)).kind == "bootstrap"


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(0.0, "agrees"), (0.02, "agrees"), (0.029, "close"), (0.031, "differs"), (1.0, "differs")],
)
def test_verdicts(score, verdict):
    assert verdict_of(score, Floor("bootstrap", 0.01, 0.02, 100)) == verdict


def test_small_but_certain_differences_are_close():
    assert verdict_of(0.005, Floor("bootstrap", 0.0001, 0.0002, 10**6)) == "close"
