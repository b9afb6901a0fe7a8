import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.fullsim.jets import images
from simulacra.fullsim.jets.clustering import Jet, mass_of
from simulacra.fullsim.jets.towers import TowerHits

DETECTOR = load_detector("jet-constituents")


def jet(points, momenta, subjets=None):
    """A jet of towers at (eta, phi); the first ones are subjets by themselves."""
    eta, phi = np.array(points, float).T
    towers = TowerHits(np.zeros(len(eta), int), np.array(momenta, float), eta, phi)
    vectors = towers.vectors
    chosen = range(len(eta)) if subjets is None else subjets
    return Jet(vectors.sum(axis=0), np.stack([vectors[i] for i in chosen]), towers)


def at(eta, phi):
    step = 2 * DETECTOR.half_width / DETECTOR.pixels
    return tuple(int((x + DETECTOR.half_width) / step) for x in (eta, phi))


def test_the_hardest_subjet_is_in_the_middle_and_the_second_below():
    for angle in np.linspace(0, 2 * np.pi, 7):
        second = 1.0 + 0.6 * np.cos(angle), 3.0 + 0.6 * np.sin(angle)
        image = images.draw(jet([(1.0, 3.0), second], [200.0, 80.0]), DETECTOR)
        assert np.unravel_index(image.argmax(), image.shape) == at(0, 0)
        below = image.copy()
        below[9:16, 9:16] = 0
        eta, phi = np.average(np.indices(image.shape), axis=(1, 2), weights=below)
        assert abs(eta - 12) < 1
        assert abs(phi - 6) < 1


def test_a_turn_by_right_angles_moves_pixels_only():
    image = np.random.default_rng(1).exponential(1.0, (25, 25))
    for turns in range(4):
        # from the first axis towards the second: rot90 the other way round counts rows downwards
        np.testing.assert_allclose(
            images.turned(image, turns * np.pi / 2), np.rot90(image, turns), atol=1e-6
        )


def test_towers_that_are_turned_keep_their_momentum():
    rng = np.random.default_rng(4)
    some = jet(rng.normal(0, 0.2, (30, 2)), rng.exponential(9, 30), subjets=[0, 1])
    assert images.draw(some, DETECTOR).sum() == pytest.approx(some.towers.momentum.sum())
    splines = DETECTOR.model_copy(update={"turning": "spline"})
    assert images.draw(some, splines).sum() > some.towers.momentum.sum()  # cut off below zero


def test_turning_keeps_the_sum_of_what_lies_in_the_middle():
    x = np.linspace(-1.25, 1.25, 25)
    blob = 250 * np.exp(-((x[:, None] - 0.3) ** 2 + (x[None] + 0.1) ** 2) / (2 * 0.15**2))
    for angle in (0.3, 1.0, 2.0):
        assert images.turned(blob, angle).sum() == pytest.approx(blob.sum(), rel=1e-3)


def test_the_larger_part_is_at_positive_eta():
    image = np.zeros((25, 25))
    image[3, 4] = 1.0
    assert images.reflected(image)[-4, 4] == 1.0
    assert images.reflected(images.reflected(image))[-4, 4] == 1.0


def test_pixels_have_what_falls_into_them():
    points = np.array([[0.0, 0.0], [0.04, -0.04], [1.24, -1.24], [1.26, 0.0]])
    image = images.pixels_of(points, np.array([1.0, 2.0, 4.0, 8.0]), DETECTOR)
    assert (image[12, 12], image[24, 0], image.sum()) == (3.0, 4.0, 7.0)


def test_a_single_subjet_is_turned_by_its_principal_axis():
    points = [(0.0, 0.0), (0.2, 0.2), (0.4, 0.4), (0.6, 0.6)]
    image = images.draw(jet(points, [100.0, 30.0, 20.0, 10.0], subjets=[0]), DETECTOR)
    eta, phi = np.average(np.indices((25, 25)), axis=(1, 2), weights=image)
    assert abs(eta - 12) < 0.5
    assert phi < 12


def test_constituents_hold_the_jet():
    rng = np.random.default_rng(2)
    some = jet(rng.normal([1.0, 3.1], 0.3, (30, 2)), rng.exponential(9, 30))
    listed = images.constituents(some, 40)
    assert listed[:30, 3].all()
    assert not listed[30:].any()
    assert np.all(np.diff(listed[:30, 2]) <= 0)
    eta, phi, pt, _ = listed[:30].T
    vectors = np.stack(
        [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)], 1
    )
    total = vectors.sum(axis=0)
    assert mass_of(total) == pytest.approx(mass_of(some.vector), rel=1e-9)
    assert np.arctan2(total[1], total[0]) == pytest.approx(0, abs=1e-9)
    assert len(images.constituents(some, 5)) == 5


def test_no_pixel_is_below_the_threshold():
    rng = np.random.default_rng(3)
    some = jet(rng.normal(0, 0.3, (30, 2)), rng.exponential(9, 30), subjets=[0, 1])
    image = images.draw(some, DETECTOR.model_copy(update={"turning": "spline"}))
    assert not ((image != 0) & (image < 1e-3)).any()


def test_images_that_are_not_turned_are_those_of_the_constituents():
    rng = np.random.default_rng(6)
    some = jet(rng.normal(0, 0.2, (30, 2)), rng.exponential(9, 30), subjets=[0, 1])
    plain = DETECTOR.model_copy(update={"turning": "none"})
    listed = images.constituents(some, 30)
    np.testing.assert_array_equal(images.draw(some, plain), plain.images_of(listed[None])[0])
