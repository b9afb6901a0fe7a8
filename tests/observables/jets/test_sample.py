"""The embedded jets: the shapes that W and QCD jets are known by."""

import numpy as np
import pytest

from simulacra.datasets.samples import SPLITS, load_sample
from simulacra.events import Events
from simulacra.observables import observables_of, observe


@pytest.fixture(scope="module")
def jets():
    return Events.concatenate([load_sample(split, "jet-images") for split in SPLITS["jet-images"]])


@pytest.fixture(scope="module")
def values(jets):
    return observe(jets, observables_of(jets.detector))


def by_process(jets, column):
    return column[jets["process"] == 0], column[jets["process"] == 1]


def test_jets_lie_inside_the_window_and_processes_take_turns(jets):
    assert 250e3 <= jets["transverse_momentum"].min() <= jets["transverse_momentum"].max() <= 300e3
    assert 60e3 <= jets["mass"].min() <= jets["mass"].max() <= 100e3
    assert abs(np.mean(jets["process"]) - 0.5) < 0.01
    jets.check()
    jets.check_signs()


def test_w_jets_peak_at_the_mass_of_the_w_and_qcd_jets_fall(jets):
    qcd, w = (mass / 1e3 for mass in by_process(jets, jets["mass"]))
    near = np.abs(w - 80.4) < 8
    assert np.mean(near) > 0.75
    assert w[near].mean() == pytest.approx(80.4, abs=1.5)
    assert np.mean(np.abs(qcd - 80.4) < 8) < 0.5
    assert np.mean(qcd < 80) > 0.5


def test_an_image_has_the_momentum_and_the_mass_of_its_jet(jets, values):
    for name, condition in (("image_pt", "transverse_momentum"), ("image_mass", "mass")):
        ratio = 1e3 * values[name] / jets[condition]
        assert np.median(ratio) == pytest.approx(0.98, abs=0.02)
        assert ratio.std() < 0.08


def test_w_jets_have_two_prongs_and_fewer_pixels(jets, values):
    for name in ("tau21", "lit_pixels", "d2"):
        qcd, w = by_process(jets, values[name])
        assert np.median(w) < np.median(qcd)


def test_hardest_pixels_are_in_the_middle_and_below(jets):
    for images in by_process(jets, jets["images"]):
        mean = images.mean(axis=0)
        assert np.unravel_index(mean.argmax(), mean.shape) == (12, 12)
        assert mean[:, :12].sum() > 2 * mean[:, 13:].sum()
        assert mean[13:].sum() > mean[:12].sum()
