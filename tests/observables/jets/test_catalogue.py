import itertools
import math

import numpy as np
import pytest

from simulacra.observables import observables_of, observe, selection_groups
from simulacra.observables.jets.pixels import Pixels
from simulacra.observables.jets.subjets import two_axes
from tests.jets import DETECTOR, jets_of, random_jets, with_images

TABLE = {o.name: o for o in observables_of(DETECTOR)}


def values(events):
    return observe(events, tuple(TABLE.values()))


def test_a_two_prong_jet_is_as_on_paper():
    found = values(jets_of([(12, 12, 200.0), (12, 7, 80.0)], [(14, 12, 200.0), (9, 16, 80.0)]))
    for i, (eta, phi) in enumerate([(0.0, 0.5), (0.5, 0.4)]):
        distance = math.hypot(eta, phi)
        mass = math.sqrt(2 * 200 * 80 * (math.cosh(eta) - math.cos(phi)))
        momentum = math.sqrt(200**2 + 80**2 + 2 * 200 * 80 * math.cos(phi))
        assert found["image_mass"][i] == pytest.approx(mass, rel=1e-6)
        assert found["image_pt"][i] == pytest.approx(momentum, rel=1e-6)
        assert found["tau1"][i] == pytest.approx(80 * distance / 280, rel=1e-6)
        assert found["tau2"][i] == found["tau21"][i] == found["d2"][i] == 0.0
        assert found["ptd"][i] == pytest.approx(math.hypot(200, 80) / 280)
        assert found["lit_pixels"][i] == 2
        assert (found["pixel.1"][i], found["pixel.2"][i]) == (200.0, 80.0)
        assert math.isnan(found["pixel.5"][i])
    # the axis divides the prongs' distance in about the ratio of their momenta
    assert found["girth"][0] == pytest.approx(2 * 200 * 80 * 0.5 / 280**2, rel=0.02)


def test_three_prongs_give_d2():
    pixels = [(12, 12, 100.0), (12, 7, 60.0), (17, 12, 40.0)]
    z = [0.5, 0.3, 0.2]
    r = {(0, 1): 0.5, (0, 2): 0.5, (1, 2): math.sqrt(0.5)}
    e2 = sum(z[i] * z[j] * distance for (i, j), distance in r.items())
    e3 = math.prod(z) * math.prod(r.values())
    found = values(jets_of(pixels))
    assert found["d2"][0] == pytest.approx(e3 / e2**3, rel=1e-6)
    # the soft prong is nearest to the hardest in min(pT)^2 R^2 and joins it
    assert found["tau2"][0] == pytest.approx(40 * 0.5 / 200, rel=1e-6)


def test_shapes_do_not_depend_on_the_momentum_and_turns_keep_them():
    events = random_jets(40, 1)
    found = values(events)
    scaled = values(with_images(3 * events["images"]))
    turned = values(with_images(np.rot90(events["images"], axes=(1, 2))))
    for name in ("tau1", "tau2", "tau21", "ptd", "d2", "girth"):
        np.testing.assert_allclose(scaled[name], found[name], rtol=1e-5)
    for name in ("tau1", "tau2", "ptd", "d2", "lit_pixels", "pixel.1"):
        np.testing.assert_allclose(turned[name], found[name], rtol=1e-5)
    for name in ("image_mass", "image_pt"):
        np.testing.assert_allclose(scaled[name], 3 * found[name], rtol=1e-5)


def test_what_is_empty_or_one_pixel_is_not_defined_but_counted():
    found = values(jets_of([], [(3, 4, 5.0)]))
    assert found["lit_pixels"].tolist() == [0, 1]
    assert found["image_mass"].tolist() == pytest.approx([0, 0], abs=1e-5)
    assert np.isnan(found["tau21"]).all()
    assert math.isnan(found["ptd"][0])
    assert found["ptd"][1] == 1.0
    for name, column in found.items():
        assert TABLE[name].optional or np.isfinite(column).all()


def brute(pt, points):
    """Merge the nearest pair again and again."""
    left = dict(enumerate(pt))
    while len(left) > 2:
        pairs = itertools.combinations(left, 2)
        near = {
            (i, j): min(left[i], left[j]) ** 2 * ((points[i] - points[j]) ** 2).sum()
            for i, j in pairs
        }
        i, j = min(near, key=near.get)
        hard, soft = (i, j) if left[i] >= left[j] else (j, i)
        left[hard] += left.pop(soft)
    return sorted(left)


def test_axes_are_those_of_merging_pair_by_pair():
    rng = np.random.default_rng(3)
    images = rng.exponential(1.0, (30, 25, 25)) * (rng.uniform(size=(30, 25, 25)) < 0.03)
    pixels = Pixels(with_images(images))
    for i in range(len(images)):
        n = pixels.number[i]
        points = np.stack([pixels.eta[i, :n], pixels.phi[i, :n]], axis=1)
        assert sorted(pixels.axes[i]) == brute(pixels.pt[i, :n], points)


def test_axes_of_one_pixel_and_of_two():
    pt = np.array([[1.0, 0.0], [1.0, 2.0]])
    places = np.array([[0, 1], [0, 1]])
    found = two_axes(pt, places, np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert found[0].tolist() == [0, 0]
    assert sorted(found[1]) == [0, 1]


@pytest.mark.pythia
def test_tau_2_is_that_of_fastjet():
    import fastjet

    rng = np.random.default_rng(5)
    images = rng.exponential(1.0, (10, 25, 25)) * (rng.uniform(size=(10, 25, 25)) < 0.05)
    events = with_images(images)
    pixels, found = Pixels(events), values(events)["tau2"]
    # so large a radius that no pixel is nearer to the beam than to another one
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, 1e3, fastjet.WTA_pt_scheme)
    for i in range(len(images)):
        n = pixels.number[i]
        pt, eta, phi = (column[i, :n] for column in (pixels.pt, pixels.eta, pixels.phi))
        listed = [
            fastjet.PseudoJet(p * np.cos(f), p * np.sin(f), p * np.sinh(e), p * np.cosh(e))
            for p, e, f in zip(pt, eta, phi, strict=True)
        ]
        sequence = fastjet.ClusterSequence(listed, definition)
        axes = [(jet.eta(), jet.phi_std()) for jet in sequence.exclusive_jets(2)]
        near = np.min([np.hypot(eta - a, phi - b) for a, b in axes], axis=0)
        assert found[i] == pytest.approx((pt * near).sum() / pt.sum(), rel=1e-6)


def test_an_epoch_is_chosen_by_mass_momentum_and_tau21():
    assert selection_groups(DETECTOR) == ("mass", "momentum", "tau21")
    assert next(iter(TABLE)) == "image_mass"


def test_correlations_do_not_depend_on_how_images_are_taken_together(monkeypatch):
    events = random_jets(30, 7)
    whole = Pixels(events).correlations
    monkeypatch.setattr("simulacra.observables.jets.pixels.MOST_PAIRS", 1000)
    for a, b in zip(whole, Pixels(events).correlations, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
