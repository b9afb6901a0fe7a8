"""What a reader of the numbers is told: spectra, shared events, long tails, few events."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.validation import validate
from simulacra.validation.cautions import tail_exponent


def toy(energy, seed, factor=1.0):
    """Showers in which each layer has a third of the energy, within 10 %."""
    detector, rng = load_detector("calogan"), np.random.default_rng(seed)
    n = len(energy)
    showers = np.zeros((n, detector.n_cells))
    for layer in detector.layers:
        size = layer.cells.stop - layer.cells.start
        shares = rng.dirichlet(np.full(size, 5.0), n)
        showers[:, layer.cells] = shares * (energy * rng.normal(0.3, 0.03, n))[:, None]
    showers[:, detector.layers[0].cells] *= factor
    return Events(Conditions({"energy": energy}), {"showers": showers}, detector)


def log_uniform(n, seed, low=1e3, high=1e5):
    return np.exp(np.random.default_rng(seed).uniform(np.log(low), np.log(high), n))


def notes(*samples, **options):
    return " / ".join(validate(*samples, **options).notes)


@pytest.fixture(scope="module")
def pair():
    return toy(log_uniform(1500, 1), 1), toy(log_uniform(1500, 2), 2)


@pytest.mark.slow
def test_honest_samples_need_no_note(pair):
    assert notes(*pair) == ""


def test_points_against_a_spectrum_are_refused(pair):
    points = toy(np.repeat([1e3, 1e4, 1e5], 100), 3)
    for samples in ((points, pair[1]), (pair[0], points)):
        with pytest.raises(EventsError, match="at points, the other between them.*--like") as told:
            validate(*samples)
        assert "\n" not in str(told.value)


@pytest.mark.slow
def test_energies_that_differ_inside_bins_are_said(pair):
    uniform = np.random.default_rng(5).uniform(1e3, 1e5, 600)
    assert "inside 1 of the bins" in notes(pair[0], toy(uniform, 4)) or "inside" in notes(
        toy(np.random.default_rng(6).uniform(1e3, 2.1e3, 4000), 4),
        toy(log_uniform(4000, 7, 1e3, 2.1e3), 5),
    )


@pytest.mark.slow
def test_a_floor_sample_of_another_spectrum_is_left_out_and_said(pair):
    result = validate(
        pair[0], toy(log_uniform(1500, 2), 2, 1.3), baseline=toy(np.full(600, 1e4), 6)
    )
    assert any("the baseline sample has other energies" in note for note in result.notes)
    assert result.pooled.comparisons["layer_energy.layer0"].verdict != "agrees"
    baselines = [c.baseline.sample for g in result.groups for c in g.comparisons.values()]
    assert set(baselines) == {None}


@pytest.mark.slow
def test_a_floor_sample_of_other_showers_is_said(pair):
    wrong = toy(log_uniform(600, 8), 8)
    wrong["showers"][:] *= np.random.default_rng(0).choice([0.8, 1.2], 600)[:, None]
    assert "the baseline sample differs from the reference" in notes(*pair, baseline=wrong)


@pytest.mark.slow
def test_samples_that_share_events_are_named(pair):
    copied = Events.concatenate([pair[1].take(slice(0, 500)), pair[0].take(slice(0, 100))])
    assert "100 of the 600 events of the generated sample are events of the ref" in notes(
        pair[0], copied
    )
    text = notes(*pair, baseline=pair[0])
    assert "1500 of the 1500 events of the baseline sample are events of the reference" in text
    assert "baseline sample are events of the generated" in notes(*pair, baseline=pair[1])
    twice = Events.concatenate([pair[1], pair[1].take(slice(0, 3))])
    assert "generated sample: 3 of 1503 events occur in it before" in notes(pair[0], twice)


@pytest.mark.slow
def test_few_events_are_said(pair):
    few = tuple(events.take(slice(0, 300)) for events in pair)
    assert "fewer than 100 events" in notes(*few)


@pytest.mark.parametrize(
    ("draw", "heavy"),
    [
        (lambda rng, n: rng.normal(size=n), False),
        (lambda rng, n: rng.exponential(size=n), False),
        (lambda rng, n: rng.integers(0, 3, n).astype(float), False),
        (lambda rng, n: rng.lognormal(0, 2, n), True),
        (lambda rng, n: rng.standard_cauchy(n), True),
    ],
    ids=["Gaussian", "exponential", "discrete", "log-normal", "Cauchy"],
)
@pytest.mark.parametrize("n", [300, 4000])
def test_long_tails_are_recognised(draw, heavy, n):
    exponents = [tail_exponent(draw(np.random.default_rng(seed), n)) for seed in range(20)]
    assert np.mean(np.array(exponents) < 2) == pytest.approx(float(heavy), abs=0.1)
    assert tail_exponent(np.zeros(5)) == np.inf
