"""Events on top of each other: sums, numbers drawn, seeds, provenance and refusals."""

import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import read_events, write_events
from simulacra.mixing.cells import added
from simulacra.mixing.draws import BLOCK, Law
from simulacra.mixing.verb import Overlay, overlay
from tests.conftest import random_events


@pytest.fixture(scope="module")
def calogan():
    return load_detector("calogan")


@pytest.fixture(scope="module")
def signal(calogan):
    return random_events(calogan, 50, 1).named("gamma")


@pytest.fixture(scope="module")
def library(calogan):
    return random_events(calogan, 30, 2).named("pi+")


def energies(events):
    return events["showers"].sum(axis=1, dtype=np.float64)


# --- what is drawn ------------------------------------------------------------------------------


def test_numbers_are_poisson_and_rows_uniform():
    """Mean and variance of the numbers, and how often each row comes, within five errors."""
    n, mean, size = 20_000, 3.5, 7
    draws = Law.of(mean, None, 1).drawn(slice(0, n), size)
    assert draws.counts.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / n))
    assert draws.counts.var() == pytest.approx(mean, rel=0.05)
    empty = np.mean(draws.counts == 0)
    assert empty == pytest.approx(np.exp(-mean), abs=5 * np.sqrt(np.exp(-mean) / n))
    each = np.bincount(draws.row, minlength=size)
    assert np.all(np.abs(each - n * mean / size) < 5 * np.sqrt(n * mean / size))
    assert Law.of(mean, None, 1).total(n) == len(draws)


def test_draws_share_no_random_numbers_with_full_simulation_of_the_same_seed():
    """Full simulation draws conditions from the first child of its seed."""
    conditions = np.random.default_rng(np.random.SeedSequence(1).spawn(1)[0])
    draws = Law.of(None, 1, 1).drawn(slice(0, BLOCK), 1000)
    assert not np.array_equal(draws.row, conditions.integers(1000, size=BLOCK))


def test_draws_do_not_depend_on_where_a_sample_is_cut():
    law = Law.of(2.0, None, 3)
    n = BLOCK + 100
    whole = law.drawn(slice(0, n), 11)
    cuts = [0, 1, 700, BLOCK, BLOCK + 5, n]
    parts = [law.drawn(slice(a, b), 11) for a, b in itertools.pairwise(cuts)]
    assert np.concatenate([p.row for p in parts]).tolist() == whole.row.tolist()
    events = np.concatenate([p.event + a for p, a in zip(parts, cuts, strict=False)])
    assert events.tolist() == whole.event.tolist()


def test_a_fixed_number_is_exact():
    assert set(Law.of(None, 4, 1).drawn(slice(0, 100), 5).counts.tolist()) == {4}


# --- what is added ------------------------------------------------------------------------------


def test_energies_are_conserved_cell_by_cell(signal, library):
    mixed = overlay(signal, library, mean=4.0, seed=5)
    draws = Law.of(4.0, None, 5).drawn(slice(0, len(signal)), len(library))
    expected = signal["showers"].astype(np.float64)
    np.add.at(expected, draws.event, library["showers"][draws.row].astype(np.float64))
    np.testing.assert_allclose(mixed["showers"], expected, rtol=1e-7)
    assert energies(mixed).sum() == pytest.approx(expected.sum(), rel=1e-7)
    assert np.array_equal(mixed.conditions["energy"], signal.conditions["energy"])
    both_empty = (signal["showers"] == 0) & (expected == 0)
    assert both_empty.any()
    assert np.all(mixed["showers"][both_empty] == 0)


def test_the_order_in_which_events_are_added_does_not_matter(signal, library):
    """To the last bit: sums are taken in the library's order."""
    draws = Law.of(20.0, None, 5).drawn(slice(0, len(signal)), len(library))
    turned = replace(draws, event=draws.event[::-1], row=draws.row[::-1])
    one, other = (added(signal, library, each)["showers"] for each in (draws, turned))
    assert np.array_equal(one, other)


def test_earlier_events_do_not_depend_on_later_ones(signal, library):
    few = overlay(signal[:7], library, mean=3.0, seed=2)
    assert np.array_equal(few["showers"], overlay(signal, library, mean=3.0, seed=2)["showers"][:7])
    other = overlay(signal, library, mean=3.0, seed=3)
    assert not np.array_equal(few["showers"], other["showers"][:7])


def test_pieces_are_the_whole(signal, library, calogan):
    chosen = Overlay.of(calogan, library, mean=3.0, seed=2)
    pieces = [signal[:20], signal[20:21], signal[21:]]
    parts = list(chosen.over(pieces, len(signal)))
    assert np.array_equal(
        np.concatenate([part["showers"] for part in parts]), chosen.onto(signal)["showers"]
    )
    assert parts[0].provenance["overlay"] == chosen.onto(signal).provenance["overlay"]


def test_a_mean_of_zero_gives_identical_bytes(signal, library, tmp_path):
    write_events(signal, tmp_path / "one.h5")
    write_events(overlay(signal, library, mean=0.0), tmp_path / "two.h5")
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_where_it_comes_from_is_kept(signal, library, tmp_path):
    path = tmp_path / "pile-up.h5"
    write_events(library, path)
    mixed = overlay(signal, f"{path}[0:20]", mean=2.0, seed=9)
    twice = overlay(mixed, library, number=1, seed=10)
    write_events(twice, tmp_path / "mixed.h5")
    first, second = read_events(tmp_path / "mixed.h5").provenance["overlay"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert first["library"] == [{"file": "pile-up.h5", "sha256": digest, "rows": [0, 20]}]
    assert (first["mean"], first["seed"]) == (2.0, 9)
    assert first["drawn"] == len(Law.of(2.0, None, 9).drawn(slice(0, len(signal)), 20))
    assert (second["number"], second["drawn"]) == (1, len(signal))
    assert twice.particles == signal.particles


def test_a_second_overlay_of_the_same_seed_is_noted(signal, library):
    notes = []
    mixed = overlay(signal, library, mean=1.0, seed=9, on_note=notes.append)
    overlay(mixed, library, mean=1.0, seed=8, on_note=notes.append)
    assert not notes
    overlay(mixed, library, mean=1.0, seed=9, on_note=notes.append)
    assert "has seed 9, too" in notes[0]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("atlas-barrel", "reads out a window around the cell"),
        ("par04-siw", "has voxels around each particle's line"),
        ("calochallenge-2", "has voxels around each particle's line"),
    ],
)
def test_cells_that_follow_the_particle_are_refused(name, why):
    detector = load_detector(name)
    conditions = {n: np.ones(1, np.float32) for n in detector.conditions}
    showers = np.ones((1, detector.n_cells), np.float32)
    events = Events(Conditions(conditions), {"showers": showers}, detector)
    with pytest.raises(EventsError, match=why) as error:
        overlay(events, events, mean=1.0)
    assert "\n" not in str(error.value)


def test_other_detectors_and_numbers_without_sense_are_refused(signal, library, barrel):
    with pytest.raises(EventsError, match="of detector clic-ecal, not of calogan"):
        overlay(signal, random_events(load_detector("clic-ecal"), 2), mean=1.0)
    with pytest.raises(EventsError, match="library holds no events"):
        overlay(signal, library[:0], mean=1.0)
    for law in ({}, {"mean": 1.0, "number": 1}, {"mean": -1.0}, {"mean": np.nan}, {"number": -1}):
        with pytest.raises(EventsError):
            overlay(signal, library, **law)


def test_a_library_that_holds_the_events_is_said(signal):
    notes = []
    overlay(signal, signal, mean=1.0, on_note=notes.append)
    assert notes == ["50 of the 50 events are in the library, too"]
