"""Samples that share their conditions: baselines and errors that are right by chance."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.events import Events
from simulacra.observables.axis import LINEAR
from simulacra.validation import validate
from simulacra.validation.metrics.catalogue import METRICS, SAMPLE_METRICS
from simulacra.validation.metrics.moments import moments
from simulacra.validation.metrics.paired import SHIFT, paired_scores, with_paired_errors
from simulacra.validation.metrics.sample_scores import Tables, scores_of
from simulacra.validation.metrics.strata import Strata, relabelling, strata_of, within_strata
from tests.validation.samples import halves

PAIRS = 200


def showers(energies, rng, factor=1.0):
    """A layer energy with 10 % resolution at 1 GeV: nearly all of its spread is the spectrum's."""
    return factor * energies * (1 + 0.1 / np.sqrt(energies / 1e3) * rng.normal(size=len(energies)))


def spectrum(n, rng):
    return np.exp(rng.uniform(np.log(1e3), np.log(262e3), n))


def twins(n):
    return Strata(np.arange(n), np.arange(n))


def judged(reference, generated, drawn):
    """All metrics of one observable with the errors and baselines of shared conditions."""
    scores = paired_scores(reference, generated, LINEAR, drawn)
    plain = {name: metric.function(reference, generated) for name, metric in METRICS.items()}
    values = reference, generated
    return plain, with_paired_errors(plain, values, moments(reference), scores, drawn), scores


@pytest.fixture(scope="module")
def perfect():
    """A perfect generator with the reference's energies, many times."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(60):
        energies = spectrum(400, rng)
        drawn = relabelling(twins(400), PAIRS, rng)
        reference, generated = showers(energies, rng), showers(energies, rng)
        found.append((*judged(reference, generated, drawn), moments(reference)))
    return found


@pytest.mark.slow
def test_a_perfect_generator_scores_its_baseline(perfect):
    for name in ("separation", "wasserstein", "ks"):
        scores = [plain[name].value for plain, *_ in perfect]
        drawn = [getattr(paired, name) for _, _, paired, _ in perfect]
        assert np.mean(scores) / np.mean(drawn) == pytest.approx(1, abs=0.15)
        above = np.mean([s > np.quantile(d, 0.95) for s, d in zip(scores, drawn, strict=True)])
        assert above < 0.15


@pytest.mark.slow
def test_floors_of_independent_samples_would_be_far_too_wide(perfect):
    chi2 = [plain["chi2_per_ndf"].value for plain, *_ in perfect]
    assert np.mean(chi2) < 0.3
    assert np.mean([e["chi2_per_ndf"].value for _, e, *_ in perfect]) == pytest.approx(1, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["mean_ratio", "width_ratio", "median_ratio", "sigma_eff_ratio", "mean_difference", SHIFT],
)
def test_errors_are_the_scatter_of_perfect_generators(perfect, name):
    truth = 1.0 if name.endswith("ratio") else 0.0
    found = [errors[name] for _, errors, *_ in perfect]
    pulls = [(e.value - truth) / e.error for e in found]
    # quantiles of few events whose places the conditions rule have errors that are rather too large
    low, high = (0.3, 1.3) if name.startswith(("median", "sigma_eff")) else (0.7, 1.3)
    assert low < np.std(pulls) < high
    assert abs(np.mean(pulls)) < 0.5
    if name in METRICS:
        plain = np.mean([p[name].error for p, *_ in perfect])
        assert np.mean([e.error for e in found]) < 0.3 * plain


def test_two_per_cent_too_much_energy_are_certain():
    rng = np.random.default_rng(2)
    energies = spectrum(2000, rng)
    drawn = relabelling(twins(2000), PAIRS, rng)
    _, errors, _ = judged(showers(energies, rng), showers(energies, rng, 1.02), drawn)
    assert (errors["mean_ratio"].value - 1) > 10 * errors["mean_ratio"].error
    assert errors[SHIFT].value > 0.5 > 10 * errors[SHIFT].error


def test_many_events_are_judged_by_a_part_of_them():
    rng = np.random.default_rng(3)
    energies = spectrum(6000, rng)
    reference, generated = showers(energies, rng), showers(energies, rng)
    all_of_them, part = (relabelling(twins(6000), PAIRS, rng, most) for most in (None, 1500))
    assert part.part == pytest.approx(0.25, abs=0.03)
    whole, thinned = (judged(reference, generated, drawn) for drawn in (all_of_them, part))
    for name in ("separation", "wasserstein", "ks"):
        means = [np.mean(getattr(scores, name)) for *_, scores in (whole, thinned)]
        assert means[0] == pytest.approx(means[1], rel=0.15)
    for name in ("mean_ratio", "width_ratio"):
        assert whole[1][name].error == pytest.approx(thinned[1][name].error, rel=0.25)


def test_conditions_are_equal_up_to_rounding_and_in_any_order():
    rng = np.random.default_rng(4)
    energies = rng.uniform(1e3, 1e5, 50).astype(np.float32)
    order = rng.permutation(50)
    first = Conditions({"energy": energies, "theta": rng.uniform(0, 1, 50)})
    second = Conditions(
        {"energy": energies[order] * (1 + 2e-7), "theta": first["theta"][order].astype("f4")}
    )
    strata = strata_of(first, second)
    np.testing.assert_array_equal(strata.reference[order], strata.generated)
    assert strata.are_shared
    others = Conditions({"energy": energies + 1, "theta": first["theta"]})
    assert not strata_of(first, others).are_shared


def test_a_generated_sample_with_some_of_the_conditions():
    """Events without a partner stay where they are, and count in errors on their own."""
    rng = np.random.default_rng(5)
    pulls, above = [], []
    for _ in range(40):
        energies = spectrum(600, rng)
        strata = Strata(np.where(np.arange(600) < 300, np.arange(600), -1), np.arange(300))
        drawn = relabelling(strata, PAIRS, rng)
        assert drawn.labels[300:600].all()
        reference, generated = showers(energies, rng), showers(energies[:300], rng)
        plain, errors, scores = judged(reference, generated, drawn)
        pulls.append((errors["mean_ratio"].value - 1) / errors["mean_ratio"].error)
        above.append(plain["separation"].value > np.quantile(scores.separation, 0.95))
    assert np.std(pulls) == pytest.approx(1, abs=0.35)
    assert np.mean(above) < 0.2


def test_points_are_strata_of_many_events():
    strata = Strata(np.repeat([0, 1], 40), np.repeat([0, 1], [40, 80]))
    drawn = relabelling(strata, PAIRS, np.random.default_rng(6))
    for own in (0, 1):
        here = drawn.strata == own
        assert set(drawn.labels[here].sum(axis=0)) == {40}
    one = Strata(np.zeros(40, int), np.zeros(40, int))
    assert not one.are_shared  # one energy alone: the samples are independent


def test_the_error_of_independent_samples_is_the_usual_one():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=3000), 2 * rng.normal(size=1000)
    values = np.concatenate([a - a.mean(), b - b.mean()])
    first = np.arange(4000) < 3000
    strata = np.where(first, 0, 1)
    expected = np.hypot(a.std(ddof=1) / np.sqrt(3000), b.std(ddof=1) / np.sqrt(1000))
    assert within_strata(values, strata, first) == pytest.approx(expected, rel=1e-3)
    alone = within_strata(values, np.arange(4000), first)
    assert alone == pytest.approx(expected, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fpd", "correlation_observables"])
def test_distances_of_whole_samples_have_a_paired_baseline(name):
    metric = next(m for m in SAMPLE_METRICS if m.names == (name,))
    rng = np.random.default_rng(8)
    ratios, independent = [], []
    for _ in range(6):
        energies = spectrum(300, rng)

        def table(energies=energies):
            columns = [np.log10(energies), *(showers(energies, rng) for _ in range(3))]
            return np.stack(columns, axis=1).astype(np.float32)

        first, second = table(), table()
        for strata, found in ((twins(300), ratios), (None, independent)):
            (score,) = scores_of(metric, Tables(first, second, None, strata), None, rng)
            found.append((score.score.value, score.baseline.estimate.value))
            assert score.baseline.kind == ("bootstrap" if strata is None else "paired")
    paired, bootstrap = (np.mean(found, axis=0) for found in (ratios, independent))
    assert paired[0] / paired[1] == pytest.approx(1, abs=0.45)
    assert bootstrap[1] > 2 * paired[1]


@pytest.mark.slow
def test_twins_of_real_showers_are_judged_as_pairs():
    """The same energies, other impacts: independent; the same in both: paired."""
    first, second = (events.take(slice(0, 400)) for events in halves())
    independent = validate(first, second)
    kinds = {c.baseline.kind for g in independent.groups for c in g.comparisons.values()}
    assert kinds == {"bootstrap"}
    same = Events(first.conditions, dict(second.response), first.detector)
    paired = validate(first, same)
    kinds = {c.baseline.kind for g in paired.groups for c in g.comparisons.values()}
    assert kinds == {"paired"}
    assert paired.pooled.comparisons["response"].verdict == "differs"  # other energies' showers
