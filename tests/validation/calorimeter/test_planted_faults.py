"""What ``validate`` must catch: real showers of Geant4 with one fault each, beside honest ones."""

import numpy as np
import pytest

from simulacra.validation import validate
from tests.validation.samples import few, halves, with_showers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair():
    return halves()


@pytest.fixture(scope="module")
def honest(pair):
    """The result without a fault: what each test's numbers are like by chance."""
    return validate(*pair)


def judged(pair, showers, **options):
    return validate(pair[0], with_showers(pair[1], showers.astype(np.float32)), **options)


def differing(group, names=""):
    return [n for n, c in group.comparisons.items() if c.verdict == "differs" and names in n]


def classifier_test(result, features):
    """The score of the classifier that counts."""
    counts = result.samples.worse[features]
    found = result.samples.classifier_tests
    return next(a for a in found if (a.features, a.classifier) == (features, counts))


def middle(events):
    return next(layer for layer in events.detector.layers if layer.name == "middle")


def squeezed(cells, factor):
    """Cells (x, y) whose width along x is ``factor`` times what it was, with the same sum.

    A part of each row's energy moves to the next row towards the centre; which part, is found by
    bisection.
    """
    number, total = np.arange(len(cells)), cells.sum()
    if total <= 0:
        return cells
    centre = np.round(cells.sum(axis=1) @ number / total)
    moved = np.zeros_like(cells)
    np.add.at(moved, number + np.sign(centre - number).astype(int), cells)

    def variance(part):
        profile = ((1 - part) * cells + part * moved).sum(axis=1) / total
        return profile @ number**2 - (profile @ number) ** 2

    low, high = 0.0, 1.0
    for _ in range(30):
        part = (low + high) / 2
        low, high = (part, high) if variance(part) > factor**2 * variance(0) else (low, part)
    return (1 - high) * cells + high * moved


def narrowed(events, energy, factor):
    """Showers of one energy whose widths in eta and phi are ``factor`` times theirs."""
    showers = events["showers"].astype(np.float64)
    for i in np.flatnonzero(events.conditions["energy"] == energy):
        for layer in events.detector.layers:
            cells = squeezed(showers[i, layer.cells].reshape(layer.shape), factor)
            showers[i, layer.cells] = squeezed(cells.T, factor).T.ravel()
    return showers


@pytest.mark.slow
def test_honest_halves_show_nothing(honest):
    assert honest.pooled.comparisons["response"].verdict == "agrees"
    assert sum(len(differing(g)) for g in honest.groups) == 0
    assert honest.invariants["generated"].beyond_limits == 0
    assert max(honest.cells.missing) < 1e-4


@pytest.mark.slow
def test_one_per_cent_of_energy_too_much(pair, honest):
    result = judged(pair, pair[1]["showers"] * 1.01)
    response = result.pooled.comparisons["response"]
    assert response.verdict == "differs"
    assert response.metrics["separation"].value > 3 * response.baseline.quantile
    ratio, before = (r.pooled.comparisons["response"].metrics for r in (result, honest))
    assert ratio["mean_ratio"].value / before["mean_ratio"].value == pytest.approx(1.01, rel=1e-6)
    assert ratio["mean_ratio"].value - 1 > 5 * ratio["mean_ratio"].error
    assert differing(result.pooled, "fraction") == []  # shapes are as they were


def test_showers_too_narrow_at_one_energy(pair, honest):
    result = judged(pair, narrowed(pair[1], 16e3, 0.9))
    for group, before in zip(result.energies, honest.energies, strict=True):
        if group.label != "16 GeV":
            assert group.comparisons == before.comparisons
            continue
        assert {"width_eta.strips", "width_eta.middle", "width_phi.middle"} <= set(differing(group))
        for name in ("width_eta.strips", "width_eta.middle", "width_phi.middle"):
            found, was = (g.comparisons[name] for g in (group, before))
            # a few showers at the edge of the window cannot shrink so much
            assert found.generated.mean.value == pytest.approx(0.9 * was.generated.mean.value, 5e-3)
            assert found.metrics["separation"].value > 2 * found.baseline.quantile
        # nothing but the shape has changed
        assert group.comparisons["response"].verdict == before.comparisons["response"].verdict
        assert differing(group, "layer_energy") == []


def test_a_layer_mirrored_in_phi(pair, honest):
    showers, layer = pair[1]["showers"].copy(), middle(pair[1])
    grid = showers[:, layer.cells].reshape(-1, *layer.shape)
    showers[:, layer.cells] = grid[:, :, ::-1].reshape(len(showers), -1)
    result = judged(pair, showers)

    def against_impact(validation):
        return {p.observable: p.chi2_per_ndf for p in validation.impact_profiles}

    assert against_impact(honest)["centre_phi.middle"] < 2
    assert against_impact(result)["centre_phi.middle"] > 50
    assert differing(result.pooled) == ["centre_phi.middle"]


def test_mode_collapse_shows_in_recall():
    reference, generated = few("train", 150), few("selection", 90)
    different = np.random.default_rng(0).permutation(len(generated))[: len(generated) // 100 + 1]
    repeated = generated.take(np.resize(different, len(generated)))
    for sample, collapsed in ((generated, False), (repeated, True)):
        scores = {s.name: s for s in validate(reference, sample, profile="quick").samples.scores}
        for name in ("recall_observables", "recall_cells"):
            score, baseline = scores[name].score, scores[name].baseline.estimate
            assert (score.value < 0.3 * baseline.value) == collapsed
            assert (score.value > baseline.value - 5 * baseline.error) != collapsed


def test_a_dead_cell():
    reference, generated = few("train", 150), few("selection", 150)
    layer = middle(generated)
    row, column = layer.shape[0] // 2, layer.shape[1] // 2 + 1
    showers = generated["showers"].copy()
    showers[:, layer.cells.start + row * layer.shape[1] + column] = 0
    result = judged((reference, generated), showers, profile="quick")
    for features in ("cells", "normalised"):
        score = classifier_test(result, features)
        assert score.auc.value > 0.9
        assert score.baseline_auc.estimate.value < 0.6
    assert "centre_phi.middle" in differing(result.pooled)
    assert result.cells.missing[0] > 0.005
    assert result.cells.profiles["phi.middle"].value > 10


def test_showers_shuffled_between_energies(pair):
    order = np.random.default_rng(0).permutation(len(pair[1]))
    result = judged(pair, pair[1]["showers"][order])
    for group in result.energies[:-1]:  # 28 events at the last: hardly enough for a verdict
        assert group.comparisons["response"].verdict == "differs"
        assert group.comparisons["response"].over_baseline > 5
    assert result.invariants["generated"].beyond_limits > 100


def test_one_wild_shower_in_a_thousand(pair, honest):
    showers = pair[1]["showers"].copy()
    wild = np.random.default_rng(0).choice(len(showers), len(showers) // 1000, replace=False)
    showers[wild] *= 20
    result = judged(pair, showers)
    assert result.invariants["generated"].beyond_limits == len(wild)
    for validation, caught in ((honest, False), (result, True)):
        response = validation.pooled.comparisons["response"]
        distance = response.metrics["wasserstein_in_widths"].value
        assert (distance > 3 * response.baselines["wasserstein_in_widths"].quantile) == caught
