import numpy as np
import pytest

from simulacra.validation import validate
from simulacra.validation.jets.features import image_tables
from simulacra.validation.jets.images import SPECTRUM, image_sums
from tests.jets import DETECTOR, random_jets, with_images


@pytest.fixture(scope="module")
def samples():
    return random_jets(300, 1), random_jets(300, 2), random_jets(300, 3, excess=40.0)


def test_jets_of_one_kind_agree_and_a_planted_fault_is_found(samples, tmp_path):
    full, same, other = samples
    agreed, found = validate(full, same), validate(full, other)
    parts = {part.label for part in found.divisions["process"]}
    assert parts == {"qcd", "w"}
    for result, off in ((agreed, False), (found, True)):
        distances = [
            group.comparisons["image_pt"].scores["wasserstein"].value
            for group in result.divisions["process"]
        ]
        assert (min(distances) > 20.0) == off  # GeV, of 40 that were added
    folder = found.report(tmp_path / "report")
    html = folder.read_text()
    for heading in ("Mean images", "Difference of processes", "Spectrum of pixels", "Single jets"):
        assert heading in html


def test_other_shares_of_processes_are_named(samples):
    full, same, _ = samples
    labels = np.ones(len(same))
    only = with_images(same["images"], labels)
    assert not any("process" in note for note in validate(full, same).notes)
    notes = validate(full, only).notes
    assert any("process qcd: 50% of the reference, 0% of the generated" in note for note in notes)


def test_sums_are_those_of_each_process():
    events = random_jets(21, 4)
    sums = image_sums(DETECTOR, [events[:10], events[10:]])
    for label, name in ((0, "qcd"), (1, "w")):
        own = events["images"][events["process"] == label]
        np.testing.assert_allclose(sums[name].mean, own.mean(axis=0), atol=1e-6)
        assert sums[name].counts.sum() == np.count_nonzero(own >= SPECTRUM[0])
        assert sums[name].events == len(own)
    assert set(image_sums(DETECTOR, [events[1:2]])) == {"w"}


def test_pixels_are_what_classifiers_see():
    events = random_jets(5, 5)
    table = image_tables(events, np.zeros((5, 3)))["pixels"]
    assert table.shape == (5, 3 + 625)
    assert np.count_nonzero(table) == np.count_nonzero(events["images"])
