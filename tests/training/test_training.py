import csv

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.datasets.samples import load_sample
from simulacra.errors import CardError, EventsError, SimulatorError
from simulacra.events import Events
from simulacra.io import read_events
from simulacra.models import MODELS
from simulacra.observables.selection_score import MEASURES, EpochSelection
from simulacra.training import fit
from simulacra.training.card import AdamCard, Card
from simulacra.training.run import is_better
from tests.conftest import small_sample
from tests.training.gaussian import register

pytestmark = pytest.mark.slow


class Interrupted(Exception):
    """What a test throws to stop a run."""


def _run(card, folder, stop_at=None):
    def on_progress(phase, step, steps):
        if step == stop_at:
            raise Interrupted

    train, selection = (read_events(path) for path in (*card.data.train, *card.data.selection))
    return fit(card, train, selection, folder, EpochSelection, on_progress)


def with_training(card, **changes):
    return card.model_copy(update={"training": card.training.model_copy(update=changes)})


def _weights(trained):
    return {name: value.numpy() for name, value in trained.surrogate.state_dict().items()}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("dnncalogan", {"critics": 1}),
        ("dnncalogan", {"critics": 2}),
        ("gaussian", {}),
        ("dcgan", {"dropout": 0.5}),  # draws random numbers in its layers
        ("cvae", {"dropout": 0.5}),  # and counts means over batches
        ("gan-3d", {"label_flips": 0.3}),  # both, and flips labels
        ("progan", {"growth": 0.9}),  # is interrupted while a level fades in
    ],
)
def test_resumed_run_is_bit_exact(small_card, tmp_path, monkeypatch, kind, options):
    register(monkeypatch)
    card = small_card(kind, **options)
    whole = _run(card, tmp_path / "whole")
    with pytest.raises(Interrupted):
        _run(card, tmp_path / "parts", stop_at=5)
    resumed = _run(card, tmp_path / "parts")
    assert (resumed.step, resumed.score) == (whole.step, whole.score)
    for name, value in _weights(whole).items():
        assert np.array_equal(_weights(resumed)[name], value), name
    for a, b in zip(whole.history, resumed.history, strict=True):
        same = {k: v for k, v in b.items() if "second" not in k}
        assert {k: v for k, v in a.items() if "second" not in k} == pytest.approx(
            same, rel=0, abs=0, nan_ok=True
        )


def test_resumed_adam_gives_moments_their_layout(small_card, tmp_path):
    """Weights of 3-D convolutions lie channels last, and a file keeps no layout."""
    card = with_training(small_card("gan-3d", label_flips=0.0), optimiser=AdamCard())
    whole = _run(card, tmp_path / "whole")
    with pytest.raises(Interrupted):
        _run(card, tmp_path / "parts", stop_at=5)
    resumed = _run(card, tmp_path / "parts")
    for name, value in _weights(whole).items():
        assert np.array_equal(_weights(resumed)[name], value), name


@pytest.mark.parametrize("kind", ["dnncalogan", "flow-matching"])
def test_a_training_that_diverges_is_no_success(small_card, tmp_path, kind):
    card = with_training(small_card(kind), learning_rate=1e30)
    words = r"training diverged .* after 3 restarts .* lower training\.learning_rate"
    with pytest.raises(SimulatorError, match=words):
        _run(card, tmp_path)


def test_variables_of_a_batch_system_change_nothing(small_card, tmp_path, monkeypatch):
    for name, value in (("NTASKS", "4"), ("JOB_NAME", "study"), ("PROCID", "0")):
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert _run(small_card(), tmp_path).step > 0


def test_best_epoch_is_kept(small_card, tmp_path):
    trained = _run(small_card(), tmp_path)
    scores = {row["step"]: row["score"] for row in trained.history}
    assert list(scores) == [2, 4, 6]
    assert trained.score == min(scores.values()) == scores[trained.step]
    with (tmp_path / "metrics.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [2, 4, 6]


def test_no_epoch_is_chosen_too_early(small_card, tmp_path):
    card = small_card()
    late = card.model_copy(update={"selection": card.selection.model_copy(update={"after": 0.9})})
    with pytest.raises(Interrupted):
        _run(late, tmp_path, stop_at=5)  # goes on from a checkpoint without a choice
    trained = _run(late, tmp_path)
    assert trained.step == 6
    assert trained.score == trained.history[-1]["score"]


def test_checkpoint_of_another_card_is_refused(small_card, tmp_path):
    _run(small_card(), tmp_path)
    with pytest.raises(SimulatorError, match="another card"):
        _run(small_card(latent=9), tmp_path)


def test_damaged_checkpoint_is_named(small_card, tmp_path):
    _run(small_card(), tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(SimulatorError, match="not a readable tensor file"):
        _run(small_card(), tmp_path)


def test_nan_in_training_data_is_refused(small_card, tmp_path, events):
    showers = events["showers"].copy()
    showers[0, 0] = np.nan
    bad = Events(events.conditions, {"showers": showers}, events.detector)
    with pytest.raises(EventsError, match="not finite"):
        fit(small_card(), bad, events, tmp_path / "run", EpochSelection)
    assert not (tmp_path / "run").exists()


def test_negative_energies_are_refused(small_card, tmp_path, events):
    """Their logarithm would be no number, and the cell one that is hit."""
    showers = events["showers"].copy()
    showers[:3, 0] = -1.0
    bad = Events(events.conditions, {"showers": showers}, events.detector)
    with pytest.raises(EventsError, match="showers holds 3 negative values"):
        fit(small_card(), bad, events, tmp_path / "run", EpochSelection)
    assert not (tmp_path / "run").exists()


def _degenerate(sample):
    """Samples without a width, by what the message says of them."""
    nothing = {name: np.zeros_like(array) for name, array in sample.response.items()}
    yield "no .* events", sample.take(np.arange(0))
    yield "one .* event is too few", sample.take(np.arange(1))
    yield "have the same response", sample.take(np.zeros(8, int))
    yield "are empty: no ", Events(sample.conditions, nothing, sample.detector)


@pytest.mark.parametrize("kind", MODELS)
def test_samples_without_a_width_are_refused_before_the_first_step(small_card, tmp_path, kind):
    sample = small_sample(kind, 16)
    for words, bad in _degenerate(sample):
        with pytest.raises(EventsError, match=words) as error:
            fit(small_card(kind), bad, sample, tmp_path / "run", EpochSelection)
        assert "training" in str(error.value)
        with pytest.raises(EventsError, match=words) as error:
            fit(small_card(kind), sample, bad, tmp_path / "run", EpochSelection)
        assert "selection" in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", MODELS)
def test_constant_conditions_are_learned(small_card, tmp_path, kind):
    """As of a beam of one energy at one place: nothing is divided by a width that is zero."""
    sample = small_sample(kind, 32)
    columns = {name: np.full(32, column[0]) for name, column in sample.conditions.columns.items()}
    same = Events(Conditions(columns), sample.response, sample.detector)
    trained = fit(small_card(kind, steps=2), same, same, tmp_path / "run", EpochSelection)
    assert all(np.isfinite(value) for value in trained.history[-1].values())
    generated = trained.surrogate.generate(same.conditions, 1)
    assert all(np.isfinite(array).all() for array in generated.values())


def test_coordinates_have_either_sign():
    load_sample("train", "alice-tpc").take(slice(0, 20)).check_signs()


def test_too_few_selection_events_are_told_before_training():
    with pytest.raises(EventsError, match="at least one energy needs 5"):
        EpochSelection(load_sample("selection").take(slice(0, 4)))


def test_score_of_the_selection_events_themselves_is_zero():
    events = load_sample("selection")
    score, energies = EpochSelection(events, ("response", "width")).score(events)
    assert score == 0
    assert len(energies) == 9
    assert all(e.primary_mean == e.primary_width == 1 for e in energies)


def test_floor_is_what_full_simulation_scores():
    """Independent events of the same energies, once and three times as many."""
    events, test = load_sample("selection"), load_sample("test")
    selection = EpochSelection(events)
    floors = [selection.floor(repeat, np.random.default_rng(1)) for repeat in (1, 3)]
    assert floors[1] == pytest.approx(floors[0] * np.sqrt(2 / 3))
    assert floors[1] == pytest.approx(selection.score(test)[0], rel=0.3)
    chi2 = EpochSelection(events, ("response",), "chi2")
    assert chi2.floor(3, np.random.default_rng(1)) == pytest.approx(1, abs=0.3)
    few = EpochSelection(events.take(slice(0, 50)), ("response",))
    assert np.isfinite(few.floor(1, np.random.default_rng(1)))


@pytest.mark.parametrize("measure", ["moments", "chi2"])
def test_rounding_is_no_width(measure):
    """A layer's only column of cells has its centre at 1e-16 mm, with as small a width."""
    distance = MEASURES[measure]
    rng = np.random.default_rng(1)
    for centre, width in ((2e-16, 5e-17), (1e5, 1e-3)):
        first, second = (rng.normal(centre, width, 100) for _ in range(2))
        assert distance(first, second + 10 * width) == 0
    assert distance(rng.normal(0, 1e-3, 100), rng.normal(0.01, 1e-3, 100)) > 1


def test_training_by_likelihood_is_judged_at_its_end(small_card):
    assert small_card("flow-matching").selection.after == 0.9
    assert small_card("dnncalogan").selection.after == 0.0
    card = small_card("flow-matching").model_dump(mode="json")
    for chosen in ({"after": 0.0}, {"after": 0.5}):
        assert Card.model_validate(card | {"selection": chosen}).selection.after == chosen["after"]
    del card["selection"]
    assert Card.model_validate(card).selection.after == 0.9


def test_score_sees_a_wrong_scale_and_a_wrong_width():
    events = load_sample("selection")
    selection = EpochSelection(events, ("response",))
    shifted = Events(events.conditions, {"showers": events["showers"] * 1.05}, events.detector)
    assert selection.score(shifted)[0] > 0.5
    rows = selection.score(shifted)[1]
    assert np.allclose([row.primary_mean for row in rows], 1.05, rtol=1e-5)


def test_score_beats_chance_for_independent_geant4():
    """Real showers of another split score far better than a 5 % shift."""
    selection = EpochSelection(load_sample("selection"), ("response", "fraction", "width"))
    assert selection.score(load_sample("test"))[0] < 0.25


def test_chi2_is_zero_for_equal_events_one_by_chance_and_large_for_others():
    events = load_sample("selection")
    selection = EpochSelection(events, ("response",), "chi2")
    assert selection.score(events)[0] == 0
    assert selection.score(load_sample("test"))[0] < 2
    shifted = Events(events.conditions, {"showers": events["showers"] * 1.1}, events.detector)
    assert selection.score(shifted)[0] > 3


def test_unknown_group_names_what_there_is(events):
    with pytest.raises(CardError, match="there are .*response"):
        EpochSelection(events, ("respons",))


def test_an_epoch_of_broken_numbers_is_no_best_one():
    nan = float("nan")
    assert is_better(1.0, nan)
    assert not is_better(nan, nan)
    assert not is_better(nan, 1.0)
    assert is_better(1.0, 2.0)
    assert not is_better(2.0, 1.0)
