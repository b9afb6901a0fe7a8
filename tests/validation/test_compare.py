import json
import math

import numpy as np
import pytest

from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.validation import measured, summary_rows, validate

from .samples import few, halves, with_showers


@pytest.fixture(scope="module")
def pair():
    return halves()


@pytest.fixture(scope="module")
def of_one_energy():
    """Each energy costs a validation as much as all energies together."""
    return halves(energy=1000)


def numbers(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value


@pytest.mark.slow
def test_a_sample_agrees_with_itself_in_everything(pair):
    result = validate(pair[0], pair[0])
    for group in result.groups:
        for comparison in group.comparisons.values():
            assert comparison.verdict == "agrees"
            assert comparison.metrics["separation"].value == 0
            assert comparison.metrics["mean_difference"].value == 0
    assert all(row.worst_separation == 0 for row in summary_rows(result))


def test_samples_without_events_are_named(pair):
    none = pair[0].take(slice(0))
    with pytest.raises(EventsError, match="the generated sample has no events"):
        validate(pair[0], none)
    with pytest.raises(EventsError, match="the baseline sample has no events"):
        validate(*pair, baseline=none)
    with pytest.raises(EventsError, match="the sample has no events"):
        measured(none)


@pytest.mark.slow
def test_real_halves_hardly_ever_differ(pair):
    verdicts = validate(*pair).to_json()["verdicts"]
    assert verdicts["agrees"] > 0.9 * sum(verdicts.values())
    assert verdicts["differs"] < 0.02 * sum(verdicts.values())


@pytest.mark.slow
def test_a_shifted_response_is_found_where_it_is(pair):
    reference, generated = pair
    showers = generated["showers"].copy()
    wrong = generated.conditions["energy"] == 16e3
    showers[wrong] *= 1.05
    result = validate(reference, with_showers(generated, showers))
    found = [g for g in result.energies if g.comparisons["response"].verdict == "differs"]
    assert [g.label for g in found] == ["16 GeV"]
    ratio = found[0].comparisons["response"].metrics["mean_ratio"]
    assert abs(ratio.value - 1.05) < 5 * ratio.error
    assert found[0].comparisons["fraction.middle"].verdict == "agrees"
    row = next(r for r in summary_rows(result) if r.energy == "16 GeV")
    assert (row.verdict, len(row.cells())) == ("differs", 6)


def test_layers_that_are_never_empty_are_found(of_one_energy):
    reference, generated = of_one_energy
    detector = reference.detector
    back = detector.layers[-1].cells
    showers = generated["showers"].copy()
    showers[:, back.start] += np.float32(0.5)  # MeV: tiny, but Geant4 leaves the layer empty
    result = validate(reference, with_showers(generated, showers))
    assert result.energies[0].comparisons["width_eta.back"].verdict == "differs"


def test_the_order_of_events_does_not_matter(of_one_energy):
    reference, generated = of_one_energy
    order = np.random.default_rng(5).permutation(len(generated))
    first = validate(reference, generated).to_json()
    second = validate(reference, generated.take(order)).to_json()
    np.testing.assert_allclose(list(numbers(first)), list(numbers(second)), rtol=1e-6, atol=1e-9)


def test_json_holds_no_nan_and_the_seed_decides_the_baseline(of_one_energy):
    reference, generated = of_one_energy
    text = [
        json.dumps(validate(reference, generated, seed=s).to_json(), allow_nan=False)
        for s in (1, 1, 2)
    ]
    assert text[0] == text[1] != text[2]
    content = json.loads(text[0])
    assert content["schema_version"] == 5
    assert set(content["pooled"]["comparisons"]) == set(content["observables"])
    assert all(math.isfinite(x) for x in numbers(content))


@pytest.mark.parametrize("per_energy", [1, 2])
def test_tiny_samples(per_energy):
    result = validate(few("train", per_energy), few("test", per_energy))
    assert result.pooled is not None
    json.dumps(result.to_json(), allow_nan=False)


def test_energies_that_one_sample_lacks_are_noted_and_left_out():
    result = validate(few("test", 12), few("train", 12))
    assert any(note.startswith("25 GeV: only the reference sample") for note in result.notes)
    assert "25 GeV" not in [g.label for g in result.energies]
    assert result.pooled.n_reference == sum(g.n_reference for g in result.energies)


def test_samples_without_a_common_energy():
    events = few("train", 5)
    energies = events.conditions["energy"]
    words = r"no energy.*reference 1 GeV, 2 GeV, gen.*--like"
    with pytest.raises(EventsError, match=words) as told:
        validate(events.take(energies < 3e3), events.take(energies > 3e3))
    assert "\n" not in str(told.value)


def test_a_different_mixture_of_energies_is_noted():
    reference, generated = few("train", 40), few("selection", 40)
    keep = (generated.conditions["energy"] < 3e3) | (np.arange(len(generated)) % 5 == 0)
    notes = validate(reference, generated.take(keep)).notes
    assert any("mix the energies differently" in note for note in notes)


def test_continuous_energies_are_binned():
    detector = load_detector("calogan")
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(2):
        conditions = draw_conditions(detector, EnergySpectrum((1e3, 1e5), "log-uniform"), 200, rng)
        showers = rng.exponential(conditions["energy"][:, None] / detector.n_cells, (200, 504))
        samples.append(Events(conditions, {"showers": showers.astype(np.float32)}, detector))
    result = validate(*samples)
    assert len(result.energies) == 6
    assert sum(g.n_generated for g in result.energies) == 200


def test_broken_events_are_counted_and_never_mended(pair):
    reference, generated = (events.take(slice(0, 100)) for events in pair)
    showers = generated["showers"].copy()
    showers[0, 100] = np.nan
    showers[1, 100] = np.inf
    showers[2, :5] = -1
    showers[3] *= 100
    result = validate(reference, with_showers(generated, showers))
    assert result.invariants["reference"].negative == 0
    broken = result.invariants["generated"]
    assert (broken.non_finite, broken.negative, broken.beyond_limits) == (2, 5, 3)
    assert result.pooled.comparisons["response"].non_finite == (0, 2)
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.slow
def test_an_independent_floor_checks_and_never_moves_verdicts(pair):
    reference, generated = (events.take(slice(0, 600)) for events in pair)
    alone = validate(reference, generated)
    checked = validate(reference, generated, baseline=load_sample("selection"))
    baselines = [c.baseline for g in checked.groups for c in g.comparisons.values()]
    assert {baseline.kind for baseline in baselines} == {"bootstrap"}
    ratios = [baseline.sample for baseline in baselines if baseline.sample is not None]
    assert len(ratios) > 0.9 * len(baselines)
    assert np.mean(ratios) == pytest.approx(1, abs=0.2)
    first, second = (v.pooled.comparisons["response"].baseline for v in (alone, checked))
    assert first.quantile == pytest.approx(second.quantile, rel=0.1)


def test_other_detectors_are_refused(pair):
    detector = load_detector("calogan")
    conditions = Conditions({"energy": np.full(2, 1e3)})
    other = Events(conditions, {"showers": np.zeros((2, detector.n_cells))}, detector)
    with pytest.raises(EventsError, match="atlas-barrel"):
        validate(pair[0], other)
