import math

import numpy as np
import pytest

from simulacra.datasets.samples import load_sample
from simulacra.validation import measured, validate
from simulacra.validation.calorimeter import impact
from simulacra.validation.calorimeter.impact import BINS, impact_profiles
from simulacra.validation.metrics.strata import Strata
from tests.calochallenge import showers_like
from tests.validation.samples import halves


def profiles(reference, generated):
    return {p.observable: p for p in impact_profiles(measured(reference), measured(generated))}


def test_two_halves_of_geant4_have_the_same_shape():
    found = profiles(*halves())
    assert len(found) == 8
    scores = [p.chi2_per_ndf for p in found.values()]
    assert np.mean(scores) == pytest.approx(1, abs=0.25)
    assert max(scores) < 2.2


def test_the_shape_is_an_s_and_odd():
    events = load_sample("train")
    middle = profiles(events, events)["centre_eta.middle"].reference
    third = BINS // 3
    assert np.all(middle[:third] > 1)
    assert np.all(middle[-third:] < -1)
    assert middle == pytest.approx(-middle[::-1], abs=0.6)


def test_a_generator_that_ignores_its_impact_is_found():
    reference, generated = halves()
    showers = generated["showers"].copy()
    rng = np.random.default_rng(0)
    for energy in np.unique(generated.conditions["energy"]):
        here = np.flatnonzero(generated.conditions["energy"] == energy)
        showers[here] = showers[rng.permutation(here)]
    from tests.validation.samples import with_showers

    found = profiles(reference, with_showers(generated, showers))
    assert found["centre_eta.middle"].chi2_per_ndf > 20


def test_a_profile_in_closed_form():
    reference, generated = halves()
    samples = []
    for events, shift in ((reference, 0.0), (generated, 1.0)):
        rng = np.random.default_rng(len(samples))
        sample = measured(events)
        impact = events.conditions["impact_eta"].astype(float)
        sample.values["layer_energy.middle"][:] = 1.0
        sample.values["centre_eta.middle"][:] = shift - impact / 2 + rng.normal(0, 3, len(events))
        samples.append(sample)
    found = impact_profiles(*samples)
    profile = next(p for p in found if p.observable == "centre_eta.middle")
    middle = (profile.edges[1:] + profile.edges[:-1]) / 2
    assert np.all(np.abs(profile.reference + middle / 2) < 5 * profile.reference_error + 0.2)
    counts = np.histogram(reference.conditions["impact_eta"], profile.edges)[0]
    assert profile.reference_error == pytest.approx(3 / np.sqrt(counts), rel=0.25)
    expected = np.sum(1 / (profile.reference_error**2 + profile.generated_error**2))
    assert profile.chi2 == pytest.approx(expected + profile.ndf, rel=0.25)


def test_few_events_are_not_judged():
    events = load_sample("train").take(slice(0, 10))
    assert all(p.ndf == 0 and math.isnan(p.chi2_per_ndf) for p in profiles(events, events).values())


@pytest.mark.slow
def test_detectors_without_impacts_have_no_profiles():
    events = showers_like("1-photons", 20)
    assert validate(events, events).impact_profiles == ()


def test_shared_impacts_are_judged_by_what_is_left():
    """Within a bin the place is the same in both samples: chi2/ndf is 1, not a part of it."""
    rng = np.random.default_rng(0)
    edges = np.linspace(-20, 20, BINS + 1)
    found = {"paired": [], "independent": []}
    for _ in range(40):
        place = rng.uniform(-20, 20, 800)
        places, centres = [place, place], [3 * place + rng.normal(size=800) for _ in range(2)]
        (full, first), (fast, second) = (
            impact._profile(edges, place, centre) for centre in centres
        )
        strata = Strata(np.arange(800), np.arange(800))
        paired = impact._shared_error(edges, places, centres, (full, fast), strata)
        for name, error in (("paired", paired), ("independent", np.hypot(first, second))):
            found[name].append(np.mean(((fast - full) / error) ** 2))
    assert np.mean(found["paired"]) == pytest.approx(1, abs=0.15)
    assert np.mean(found["independent"]) < 0.5
