"""Samples piece by piece: a file larger than the memory is judged like events in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra import events as events_module
from simulacra.datasets.samples import sample_path
from simulacra.detectors import load_detector
from simulacra.events import pieces, spans
from simulacra.io import EventFile, write_events
from simulacra.validation import measured, validate
from simulacra.validation.calorimeter.cells import DECADES, PER_DECADE, cell_sums
from simulacra.validation.classifiers.features import feature_tables, sample_tables
from simulacra.validation.metrics.calochallenge import legacy_scores
from tests.calochallenge import showers_like

from .samples import few, with_showers
from .test_compare import numbers


@pytest.fixture
def small_pieces(monkeypatch):
    """Pieces of 16 events."""
    monkeypatch.setattr(events_module, "ROWS", 16)
    monkeypatch.setattr(events_module, "PIECE", 1)


@pytest.fixture
def files(tmp_path):
    """Two files, with broken numbers in the second."""
    reference, generated = few("test", 12), few("train", 12)
    showers = generated["showers"].copy()
    showers[3, 7], showers[40, :2], showers[70, 9] = np.nan, -1.0, np.inf
    paths = tmp_path / "reference.h5", tmp_path / "generated.h5"
    samples = reference, with_showers(generated, showers)
    for path, events in zip(paths, samples, strict=True):
        write_events(events, path)
    return samples, tuple(EventFile(path) for path in paths)


class Source:
    """As many events of a detector as wanted; none is ever read."""

    detector = load_detector("calochallenge-3")

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n


@given(st.integers(0, 200_000))
def test_pieces_are_all_events_and_none_is_tiny(n):
    found = spans(Source(n))
    assert [s.start for s in found] == [0, *(s.stop for s in found[:-1])]
    assert found[-1].stop == n
    sizes = [s.stop - s.start for s in found]
    assert max(sizes) <= 1536
    assert len(sizes) == 1 or min(sizes) >= 512


def test_a_file_piece_by_piece_is_the_whole_file(small_pieces, files):
    (_, events), (_, file) = files
    assert len(file) == len(events)
    parts = list(pieces(file))
    assert len(parts) > 4
    for name in events.response:
        joined = np.concatenate([part[name] for _, part in parts])
        assert np.array_equal(joined, events[name], equal_nan=True)


@pytest.mark.slow
def test_files_are_judged_like_events_in_memory(small_pieces, files, monkeypatch):
    samples, sources = files
    found = validate(*sources, profile="quick").to_json()
    monkeypatch.undo()
    expected = validate(*samples, profile="quick").to_json()
    assert found["verdicts"] == expected["verdicts"]
    assert found["notes"] == expected["notes"]
    assert found["invariants"]["generated"] == {
        "non_finite": 2,
        "negative": 2,
        "beyond_limits": expected["invariants"]["generated"]["beyond_limits"],
    }
    values = [list(numbers(r)) for r in (found, expected)]
    np.testing.assert_allclose(*values, rtol=1e-6, atol=1e-9)


def test_official_scores_do_not_depend_on_pieces(small_pieces, monkeypatch):
    samples = showers_like("1-photons", 100), showers_like("1-photons", 90, seed=1, stretch=1.2)
    found = legacy_scores(*samples, "1-photons").separations
    monkeypatch.undo()
    assert found == legacy_scores(*samples, "1-photons").separations


def test_a_part_of_a_sample_reads_only_its_pieces(small_pieces, files):
    (_, events), (_, file) = files
    part = measured(file).take(np.array([17, 18, 60]))
    reads = []
    file.take = lambda span: reads.append(span) or events.take(span)
    cells = np.concatenate([piece["showers"] for _, piece in part.pieces()])
    assert np.array_equal(cells, events["showers"][[17, 18, 60]])
    assert reads == [slice(16, 32), slice(48, 64)]
    assert np.array_equal(part.energies, events.conditions["energy"][[17, 18, 60]])


def test_tables_of_a_sample_are_those_of_its_events(small_pieces, files):
    (events, _), (file, _) = files
    sample = measured(file)
    for name, table in feature_tables(events, sample.values).items():
        assert np.allclose(sample_tables(sample)[name], table, rtol=1e-5, atol=1e-6)


def test_cell_sums_are_sums_over_cells(small_pieces, files):
    (events, _), (file, _) = files
    sums = measured(file).summed(cell_sums)
    cells = events["showers"].astype(np.float64)
    shares = cells / events.conditions["energy"].astype(np.float64)[:, None]
    assert np.allclose(sums.share, shares.mean(axis=0))
    for i, layer in enumerate(events.detector.layers):
        own = shares[:, layer.cells]
        assert np.isclose(sums.longitudinal.mean[i], own.sum(axis=1).mean())
        error = own.sum(axis=1).std() / np.sqrt(len(own))
        assert np.isclose(sums.longitudinal.error[i], error)
        rows, columns = sums.lateral[layer.name]
        grid = own.reshape(-1, *layer.shape)
        assert np.allclose(rows.mean, grid.sum(axis=2).mean(axis=0))
        assert np.allclose(columns.mean, grid.sum(axis=1).mean(axis=0))
    hit = cells[cells > 0]
    edges = 10.0 ** (DECADES[0] + np.arange(len(sums.spectrum.counts) + 1) / PER_DECADE)
    assert sums.spectrum.total == cells.size
    assert sums.spectrum.counts.sum() == len(hit)
    # an energy on an edge may be counted on either side
    difference = np.cumsum(sums.spectrum.counts - np.histogram(hit, edges)[0])
    assert np.abs(difference).max() <= 2
    assert np.isclose(sums.spectrum.first, hit.sum())
    assert np.isclose(sums.spectrum.second, np.sum(hit**2))


@pytest.mark.slow
def test_a_report_is_drawn_from_files(small_pieces, files, tmp_path):
    reference, generated = (measured(file) for file in files[1])
    validation = validate(reference, generated)
    path = validation.report(tmp_path / "report")
    assert path.read_text(encoding="utf-8").count("data:image/png") >= 12


def test_the_embedded_files_are_read_alike():
    file = EventFile(sample_path("test"))
    assert len(file) == len(file.take(slice(None)))
    assert file.detector.name == "atlas-barrel"
    assert file.provenance
