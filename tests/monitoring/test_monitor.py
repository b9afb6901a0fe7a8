"""A monitor finds faults, names the place, and raises no alarm for another beam."""

import json

import numpy as np
import pytest
from scipy import stats

import simulacra as sim
from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.faults import Scenario, Step
from simulacra.monitoring import Monitor, kind_of
from simulacra.monitoring.conditions import changed_conditions
from simulacra.monitoring.deviations import of_counts, of_events, of_scores, unskewed
from simulacra.monitoring.page import SUMMARY, write_page
from tests.tracks import tracks

pytestmark = pytest.mark.slow


def one(fault, strength, **place):
    return Scenario(name="one", steps=(Step(fault=fault, strength=strength, place=place),))


@pytest.fixture(scope="module")
def photons():
    train, test = sim.load_sample("train"), sim.load_sample("test")
    test = test.take(np.isin(test["energy"], np.unique(train["energy"])))
    return train, test.take(np.random.default_rng(1).permutation(len(test)))


@pytest.fixture(scope="module")
def monitor(photons):
    return Monitor.fit(photons[0], window=400, rate=1e-3)


def test_fault_free_windows_raise_no_alarm(monitor, photons):
    run = monitor.watch(photons[1], "test")
    assert len(run.windows) == round(len(photons[1]) / 400)
    assert sum(window.events for window in run.windows) == len(photons[1])
    assert run.alarms == 0


def test_a_dead_cell_is_found_and_named(monitor, photons):
    data = sim.distort(photons[1][:400], one("dead-cells", 1.0, layer="middle", cells=[24]))
    result = monitor.judge(data)
    assert result.alarm
    places = [f for f in result.findings if f.grouping == "place"]
    assert places[0].where == "middle[24]"
    assert "ALARM" in result.text


def test_a_dead_cell_that_stands_still_is_named_as_such(monitor, photons):
    data = sim.distort(photons[1][:800], one("dead-cells", 1.0, layer="middle", grid=[[8, 8]]))
    result = monitor.judge(data)
    assert result.alarm
    cells = [f for f in result.findings if f.grouping in ("cell", "place")]
    assert cells[0].where == "middle(8, 8)"


def test_other_energies_raise_no_alarm_and_are_named(monitor, photons):
    low = photons[1].take(photons[1]["energy"] <= 4000)
    result = monitor.judge(low.take(slice(0, 400)))
    assert not result.alarm
    assert result.changed == ("energy",)
    assert "the beam changed (energy)" in result.text


def test_energies_that_the_reference_lacks_are_left_out(monitor):
    test = sim.load_sample("test")
    others = test.take(test["energy"] == 25_000)
    known = test.take(np.flatnonzero(test["energy"] == 16_000)[:150])
    mixed = monitor.judge(Events.concatenate([known, others]))
    assert mixed.left_out == len(others)
    alone = monitor.judge(others)
    assert alone.p_value is None
    assert not alone.alarm
    assert "not judged" in alone.text


def test_scores_of_events_rise_where_a_cell_is_dead(monitor, photons):
    clean = photons[1][:300]
    dead = sim.distort(photons[1][300:600], one("dead-cells", 1.0, layer="middle", cells=[24]))
    for name, least in (("density", 0.95), ("channels", 0.65)):
        a, b = (
            monitor.reference.event_scores(monitor.reference.look(e))[name] for e in (clean, dead)
        )
        assert stats.mannwhitneyu(b, a).statistic / (len(a) * len(b)) > least


def test_a_reference_that_is_too_small_says_how_many_are_needed(photons):
    with pytest.raises(EventsError, match="need 5000 reference events"):
        Monitor.fit(photons[0][:1000], window=1000)


def test_the_support_of_a_rate_is_stated(monitor):
    assert "rests on an extrapolated tail" in monitor.support
    assert "1e+06 reference events" in monitor.support


def test_a_chamber_with_a_weak_gain_is_found():
    reference, data = tracks(600, seed=1), tracks(200, seed=2)
    watch = Monitor.fit(reference, window=100)
    assert not watch.judge(data.take(slice(0, 100))).alarm
    weak = sim.distort(data.take(slice(0, 100)), one("dead-rows", 1.0, rows=[30, 30]))
    result = watch.judge(weak)
    assert result.alarm
    rows = [f for f in result.findings if f.grouping == "row"]
    assert rows[0].where == "row 30"


def test_counts_of_two_poisson_numbers():
    rng = np.random.default_rng(1)
    ratio, mean = 4.0, 20.0
    known = rng.poisson(ratio * mean, 20_000) / ratio
    seen = rng.poisson(mean, 20_000).astype(float)
    z = of_counts(seen, known, np.full(20_000, 1e4), ratio)
    assert np.mean(np.abs(z) > 1.96) < 0.05  # a discrete test does not exceed its size
    assert np.mean(np.abs(z) > 1.96) > 0.03
    assert of_counts(np.array([0.0]), np.array([100.0]), np.array([1e4]), 10.0) < -8
    # of 100 chances all were signals; ten are missing
    missing = of_counts(np.array([90.0]), np.array([99.9]), np.array([100.0]), 50.0)
    assert missing[0] < -5


def test_means_of_normal_scores_have_unit_errors():
    rng = np.random.default_rng(2)
    scores = rng.standard_normal((200, 400))
    mean, width = of_scores(scores, np.arange(400)[None], 400, 1e9)
    assert mean.std() == pytest.approx(1, abs=0.1)
    assert width.std() == pytest.approx(1, abs=0.15)
    shifted, _ = of_scores(scores + 0.5, np.arange(400)[None], 400, 1e9)
    assert shifted.mean() == pytest.approx(0.5 * np.sqrt(200), abs=0.5)


def test_correlated_channels_of_an_event_have_honest_errors():
    rng = np.random.default_rng(3)
    common = rng.standard_normal((300, 200, 1)) + 0.1 * rng.standard_normal((300, 200, 20))
    variance, third = np.full((200, 1), 20**2 + 20 * 0.1**2), np.zeros((200, 1))
    groups = np.zeros((1, 20), int)
    z = np.array([of_events(w, groups, 1, 1e9, variance, third)[0] for w in common])
    assert z.std() == pytest.approx(1, abs=0.15)


def test_skewed_sums_of_few_events_have_no_long_tails():
    rng = np.random.default_rng(8)
    n, windows = 12, 20_000
    values = rng.exponential(1, (n, windows, 2)).sum(axis=-1) - 2  # sums of two channels
    groups = np.arange(windows)[None]
    variance, third = np.full((n, windows), 2.0), np.full((n, windows), 4.0)
    z = of_events(values, groups, windows, 1e9, variance, third)
    for side in (z, -z):
        assert np.mean(side > 3) == pytest.approx(stats.norm.sf(3), rel=0.5)
    student = values.mean(axis=0) / values.std(axis=0, ddof=1) * np.sqrt(n)
    assert np.mean(student < -3) > 10 * stats.norm.sf(3)


def test_sums_of_skewed_numbers_become_normal():
    rng = np.random.default_rng(4)
    n = 50
    z = (rng.gamma(n * 0.2, 1, 100_000) - n * 0.2) / np.sqrt(n * 0.2)
    assert np.mean(z > 3) > 2 * stats.norm.sf(3)
    assert np.mean(unskewed(z, 2 / np.sqrt(n * 0.2)) > 3) == pytest.approx(
        stats.norm.sf(3), rel=0.3
    )


def test_the_page_and_the_summary_are_written(monitor, photons, tmp_path):
    data = sim.distort(photons[1][:400], one("gain", 0.2, layer="strips"))
    runs = [monitor.watch(data, "low/run 1.h5"), monitor.watch(photons[1][400:800], "good.h5")]
    page = write_page(monitor, runs, tmp_path / "watch").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "")
    assert "low/run 1.h5" in page
    facts = json.loads((tmp_path / "watch" / SUMMARY).read_text())
    first, second = (json.loads((tmp_path / "watch" / f).read_text()) for f in facts["runs"])
    assert (first["alarms"], second["alarms"]) == (1, 0)
    assert first["windows"][0]["findings"][0]["deviation"] != 0


def test_jet_images_are_not_monitored():
    with pytest.raises(sim.SimulacraError, match="no monitoring"):
        kind_of(load_detector("jet-image"))


def test_conditions_without_spread_are_compared():
    events = sim.load_sample("test").take(slice(300))
    fixed = Conditions({n: np.full(300, c[0]) for n, c in events.conditions.items()})
    same = Events(fixed, events.response, events.detector)
    assert changed_conditions(same, same) == ()
    assert "energy" in changed_conditions(same, events)
