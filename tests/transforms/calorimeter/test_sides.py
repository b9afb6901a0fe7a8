"""What a network is told of the sides of a stack is what geometry says of the particle's line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import logistic

from simulacra.conditions import Conditions
from simulacra.detectors import load_detector
from simulacra.detectors.calorimeter.stack import Tube
from simulacra.transforms.calorimeter.sides import LEAST, WIDTHS, Sides, has_sides
from tests.geometry import KINDS, lines, random_detector

OWN = Path(__file__).parents[3] / "examples/own-calorimeter/calorimeter.yaml"
DETECTORS = 60
"""Of each kind."""
EVENTS = 24
STEEP = 1.3
"""Largest angle to the depth axis, rad."""


def _sided(kind):
    """Detectors, conditions, features and lines of those that have sides to speak of."""
    for seed in range(DETECTORS):
        rng = np.random.default_rng([KINDS.index(kind), seed])
        detector = random_detector(rng, kind)
        if not has_sides(detector):
            continue
        columns = detector.draw(np.full(EVENTS, 1000.0), rng)
        if "theta" in columns:  # so that lines leave even shallow stacks
            columns["theta"] = rng.uniform(0.0, STEEP, EVENTS).astype(np.float32)
        matrix = torch.from_numpy(Conditions(columns).matrix(tuple(detector.conditions)))
        sides = Sides(detector)
        found = sides(matrix)
        assert found.shape == (EVENTS, sides.features)
        yield detector, found.numpy(), lines(detector, columns, rng)


@pytest.mark.parametrize("kind", ["still", "rings"])
def test_the_line_leaves_the_stack_where_the_features_say(kind):
    left = 0
    for detector, found, line in _sided(kind):
        depth = found[:, 2] * detector.depth
        leaves = found[:, 2] < 1
        left += leaves.sum()
        for row in range(EVENTS):
            before, at, after = (line(depth[row] + d)[row] for d in (-0.1, 0.0, 0.1))
            assert detector.on_face(*before)
            if leaves[row]:
                assert not detector.on_face(*after)
                edge = np.hypot(*at) if isinstance(detector.volume, Tube) else np.abs(at).max()
                assert edge == pytest.approx(120, abs=0.01)
        np.testing.assert_allclose(found[:, :2], line(1.0) - line(0.0), atol=1e-5)
        np.testing.assert_allclose(np.exp(found[:, 3]), found[:, 2].clip(1e-3), rtol=1e-5)
    assert left > 10


@pytest.mark.parametrize("kind", ["still", "rings"])
def test_the_contained_part_is_that_of_a_profile_between_the_sides(kind):
    for detector, found, line in _sided(kind):
        depths = [0.0, *(layer.depth for layer in detector.layers)]
        parts = found[:, 4:].reshape(EVENTS, len(WIDTHS), len(depths))
        for number, depth in enumerate(depths):
            place = line(depth)
            if isinstance(detector.volume, Tube):
                place = np.hypot(*place.T)[:, None]
            for width, part in zip(WIDTHS, parts[:, :, number].T, strict=True):
                high, low = (logistic.cdf(edge, place, width) for edge in (120, -120))
                expected = (high - low).prod(axis=1).clip(LEAST)
                np.testing.assert_allclose(np.exp(part), expected, rtol=1e-4, atol=1e-5)


def test_a_mirror_turns_one_slope_round_and_changes_nothing_else():
    detector = load_detector(OWN)
    rng = np.random.default_rng(1)
    columns = detector.draw(np.full(EVENTS, 1000.0), rng)
    mirrored = columns | {
        "impact_x": -columns["impact_x"],
        "phi": (np.pi - columns["phi"]).astype(np.float32),
    }
    names, sides = tuple(detector.conditions), Sides(detector)
    here, there = (
        sides(torch.from_numpy(Conditions(given).matrix(names))) for given in (columns, mirrored)
    )
    assert torch.allclose(here[:, 0], -there[:, 0], atol=1e-6)
    assert torch.allclose(here[:, 1:], there[:, 1:], atol=1e-4)


@pytest.mark.parametrize("kind", ["windows", "following"])
def test_read_outs_that_follow_the_particle_have_no_sides(kind):
    for seed in range(DETECTORS):
        rng = np.random.default_rng([KINDS.index(kind), seed])
        assert not has_sides(random_detector(rng, kind))


def test_a_beam_that_is_the_same_for_all_events_has_none():
    assert not has_sides(load_detector("calogan"))
