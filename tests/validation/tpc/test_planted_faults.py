"""What ``validate`` must catch in a TPC: smeared helices with one fault each."""

import json

import numpy as np
import pytest

from simulacra.errors import SimulacraError
from simulacra.validation import Thresholds, apply_thresholds, measured, validate
from simulacra.validation.classifiers import whole_samples
from simulacra.validation.classifiers.classifier_test import ClassifierOptions
from simulacra.validation.classifiers.features import sample_tables
from simulacra.validation.classifiers.mlp import MlpOptions
from simulacra.validation.report import catalogue as plots
from simulacra.validation.report.tpc.track_plots import energy_loss
from simulacra.validation.schema import shipped_schema
from simulacra.validation.tpc.rows import row_profiles
from tests.tracks import changed, tracks
from tests.validation.test_schema import problems

pytestmark = pytest.mark.slow

MOMENTA = (400.0, 1500.0, 6000.0)
N = 900


@pytest.fixture(scope="module", autouse=True)
def small_classifiers():
    """Enough for these faults; the real ones take ten times as long."""
    options = ClassifierOptions((0.5, 0.15), 40, MlpOptions((32,), 3e-3, 64, 6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            whole_samples, "PROFILES", {"quick": whole_samples.ProfileOptions(options, 300)}
        )
        patch.setattr(whole_samples, "SAMPLE_METRICS", ())
        yield


@pytest.fixture(scope="module")
def pair():
    return tuple(tracks(N, seed=seed, points=MOMENTA) for seed in (1, 50))


@pytest.fixture(scope="module")
def honest(pair):
    """The result without a fault: what each test's numbers are like by chance."""
    return validate(*pair, profile="quick")


def judged(pair, clusters=None, mask=None, **options):
    return validate(pair[0], changed(pair[1], clusters, mask), **options)


def differing(group):
    return {name for name, c in group.comparisons.items() if c.verdict == "differs"}


def judge(result, features):
    """The score of the classifier that counts."""
    counts = result.samples.worse[features]
    found = result.samples.classifier_tests
    return next(a for a in found if (a.features, a.classifier) == (features, counts))


def test_equal_samples_show_nothing(honest):
    assert honest.primary_observable == "rmse_true"
    assert [g.label for g in honest.energies] == ["pT 400 MeV", "pT 1.5 GeV", "pT 6 GeV"]
    assert honest.pooled.label == "all momenta"
    assert sum(len(differing(g)) for g in honest.groups) == 0
    regions = [c.verdict for g in honest.parts for c in g.comparisons.values()]
    assert regions.count("differs") <= 0.02 * len(regions)  # of a hundred, by chance
    assert honest.invariants["generated"] == honest.invariants["reference"]
    assert honest.correlations.rms_difference < 1.6 * honest.correlations.expected_rms
    for features in ("clusters", "high-level"):
        score = judge(honest, features)
        assert score.auc.value < 0.58
        assert abs(score.auc.value - score.baseline_auc.estimate.value) < 0.1


def test_a_shifted_drift(pair, honest):
    """Half a millimetre in z: the mean residual says so in every group of rows."""
    clusters = pair[1]["clusters"].copy()
    clusters[..., 2] += 0.5
    result = judged(pair, clusters, profile="quick")
    shifts = {f"shift_z.{region}" for region in ("inner", "outer", "outermost")}
    for group in result.energies:
        assert shifts <= differing(group) <= shifts | {"rmse_true"}
    comparison = result.pooled.comparisons["shift_z.outer"]
    before = honest.pooled.comparisons["shift_z.outer"]
    moved = comparison.generated.mean.value - before.generated.mean.value
    assert moved == pytest.approx(0.5, abs=1e-3)
    for features in ("clusters", "high-level"):
        assert judge(result, features).auc.value > 0.9


def test_wider_residuals_at_one_momentum(pair, honest):
    events = pair[1]
    chosen = events.conditions["transverse_momentum"] == 1500
    wide = tracks(N, seed=50, points=MOMENTA, smearing=(0.9, 0.8))["clusters"]
    result = judged(pair, np.where(chosen[:, None, None], wide, events["clusters"]))
    for group, before in zip(result.energies, honest.energies, strict=True):
        if group.label != "pT 1.5 GeV":
            assert group.comparisons == before.comparisons
            continue
        wider = {f"width_r_phi.{region}" for region in ("inner", "outer", "outermost")}
        assert wider | {"rmse_true", "rmse_fitted"} <= differing(group)
        assert not differing(group) & {"clusters", "dedx", "width_z.outer", "charge.outer"}
        ratio = group.comparisons["width_r_phi.outer"].metrics["mean_ratio"]
        assert ratio.value == pytest.approx(1.5, rel=0.02)
        assert group.worst.observable in wider | {"rmse_true", "rmse_fitted"}


def test_wider_residuals_at_large_pseudorapidity_show_in_their_region(pair):
    events = pair[1]
    chosen = np.abs(events.conditions["pseudorapidity"]) > 0.6
    wide = tracks(N, seed=50, points=MOMENTA, smearing=(0.9, 0.8))["clusters"]
    result = judged(pair, np.where(chosen[:, None, None], wide, events["clusters"]))
    for group in result.divisions["|eta|"]:
        assert ("rmse_true" in differing(group)) == group.label.startswith("|eta| 0.6 to 0.9")


def test_dropped_clusters(pair, honest):
    rng = np.random.default_rng(0)
    mask = pair[1]["cluster_mask"] * (rng.random(pair[1]["cluster_mask"].shape) > 0.03)
    result = judged(pair, mask=mask, profile="quick")
    assert {"clusters", "holes", "found_share"} <= differing(result.pooled)
    assert not differing(result.pooled) & {"dedx", "rmse_true", "shift_z.inner", "charge.inner"}
    lost = 1 - result.pooled.comparisons["found_share"].metrics["mean_ratio"].value
    assert lost == pytest.approx(0.03, abs=0.003)
    assert judge(result, "clusters").auc.value > 0.7
    assert judge(result, "high-level").auc.value > 0.9


def test_a_dead_row(pair):
    mask = pair[1]["cluster_mask"].copy()
    mask[:, 80] = 0
    result = judged(pair, mask=mask, profile="quick")
    assert judge(result, "clusters").auc.value > 0.95
    profiles = measured(changed(pair[1], mask=mask)).summed(row_profiles)
    assert np.flatnonzero(profiles["presence"].mean == 0).tolist() == [80]
    assert np.isnan(profiles["charge"].mean[80])


def test_charges_shuffled_along_the_track_and_between_tracks(pair, honest):
    """Along: nothing but the order. Between: the species lose their energy loss."""
    rng = np.random.default_rng(0)
    events = pair[1]
    between = events["clusters"].copy()
    between[..., 3:] = between[rng.permutation(len(events))][..., 3:]
    mask = events["cluster_mask"] * (between[..., 3] > 0)
    result = judged(pair, between, mask)
    species = {g.label: g for g in result.divisions["species"]}
    assert "dedx" in differing(species["p, pT 400 MeV"])
    assert "dedx" in differing(species["e, pT 400 MeV"])
    assert not differing(result.pooled) & {"rmse_true", "width_z.outer"}

    # charges that hang together from row to row, and the same in another order
    smooth = events["clusters"].copy()
    walk = np.cumsum(rng.normal(0, 0.1, mask.shape), axis=1)
    smooth[..., 3:] *= np.exp(walk - walk.mean(axis=1, keepdims=True))[..., None]
    reference = changed(events, smooth)
    mixed = smooth.copy()
    for track, present in enumerate(events["cluster_mask"] > 0):
        rows = np.flatnonzero(present)
        mixed[track, rows, 3:] = smooth[track, rng.permutation(rows), 3:]
    result = validate(reference, changed(events, mixed))
    assert "correlation_q" in differing(result.pooled)
    values = (c.mean.value for c in (result.pooled.comparisons["correlation_q"].reference,))
    assert next(values) > 0.5


def test_wild_tracks_and_negative_charges_are_counted(pair):
    clusters = pair[1]["clusters"].copy()
    clusters[0, :, :2] += 500
    clusters[1, 20, 3] = -5
    clusters[2, 20, 0] = np.nan
    mask = pair[1]["cluster_mask"].copy()
    mask[1:3, 20] = 1
    result = judged(pair, clusters, mask)
    found = result.invariants["generated"]
    assert (found.beyond_limits, found.negative, found.non_finite) == (1, 1, 1)


def test_tracks_without_clusters_are_undefined_not_left_out(pair):
    mask = pair[1]["cluster_mask"].copy()
    mask[: N // 10] = 0
    result = judged(pair, mask=mask)
    table = next(t for t in result.tables if "fitted" in t.title)
    assert table.rows["all momenta"][-1].generated.value == pytest.approx(0.1)
    assert result.pooled.comparisons["rmse_true"].non_finite == (0, N // 10)
    assert result.pooled.n_generated == N
    assert "clusters" in differing(result.pooled)
    assert result.invariants["generated"].beyond_limits == 0
    assert measured(changed(pair[1], mask=mask)).whole.all()  # classifiers take them, too


def test_without_any_clusters_there_is_no_picture_of_the_energy_loss():
    some = tracks(30, points=MOMENTA)
    none = changed(some, mask=np.zeros_like(some["cluster_mask"]))
    for both, plotted in (((none, none), 0), ((some, none), 1), ((none, some), 1)):
        validation = validate(*both)
        assert len(list(energy_loss(validation, validation.compared))) == plotted


def test_the_table_of_distances_is_that_of_the_tracks(pair, honest):
    table = honest.tables[0]
    rmse = measured(pair[0]).values["rmse_true"]
    row = [p.reference.value for p in table.rows["all momenta"]]
    expected = [np.mean(rmse**2), np.median(rmse**2), rmse.mean(), np.median(rmse), 0]
    assert row == pytest.approx(expected)
    assert {"all momenta", *(g.label for g in honest.energies)} < set(table.rows)
    assert "|eta| 0.3 to 0.6, pT 1.5 GeV" in table.rows
    for pairs in table.rows.values():
        assert abs(pairs[0].ratio.value - 1) < 5 * pairs[0].ratio.error


def test_thresholds_reach_the_regions(honest):
    limits = Thresholds.model_validate(
        {
            "rules": [
                {"observables": ["rmse_true"], "energies": ["|eta| *"], "median_ratio": 0.05},
                {"observables": ["dedx"], "energies": ["p, *"], "width_ratio": 0.05, "sigmas": 3},
            ]
        }
    )
    outcome = apply_thresholds(honest, limits).thresholds
    assert outcome.checked == 3 * 4 + 3
    assert outcome.failures == ()
    nothing = Thresholds.model_validate({"rules": [{"energies": ["|phi| *"], "verdict": "close"}]})
    with pytest.raises(SimulacraError, match="nothing matches"):
        apply_thresholds(honest, nothing)


def test_the_report_has_tables_and_pictures_of_tracks(pair, honest, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "PLOTS", (plots.primary_against_energy, plots.division_plots))
    few = tuple(events.take(slice(0, 90)) for events in pair)
    path = validate(*few).report(tmp_path / "report")
    html = path.read_text(encoding="utf-8")
    for text in ("Distance to the true helix", "by |eta|", "by species", "Single tracks"):
        assert text in html
    for text in ("incident energy", "shower", "all energies"):
        assert text not in html
    content = json.loads(json.dumps(honest.to_json(), allow_nan=False))
    assert list(problems(content, shipped_schema(), shipped_schema())) == []


def test_other_orders_of_magnitude_are_no_problem(pair):
    """A generator whose clusters lie metres away has finite scores, all of them bad."""
    rng = np.random.default_rng(1)
    clusters = rng.uniform(-2500, 2500, pair[1]["clusters"].shape)
    clusters[..., 3:] = np.abs(clusters[..., 3:])
    result = judged(pair, clusters)
    assert result.pooled.comparisons["rmse_true"].metrics["separation"].value > 0.99
    json.dumps(result.to_json(), allow_nan=False)
    for table in sample_tables(measured(changed(pair[1], clusters))).values():
        assert np.isfinite(table).all()
