"""The particles that events begin with."""

import numpy as np
import pytest
from pydantic import ValidationError

from simulacra.errors import EventsError
from simulacra.hybrid import ParticleCard, Primaries
from simulacra.hybrid.primaries import draw_primaries

SEED = np.random.SeedSequence(3)


def particle(name="gamma", energy="2GeV", **options):
    return ParticleCard.model_validate({"particle": name, "energy": energy, "z": -1} | options)


def test_every_event_has_all_particles():
    cards = [particle(), particle("mu-", "1GeV,3GeV", count=2), particle("pi+")]
    primaries = draw_primaries(cards, 5, SEED)
    assert primaries.event.tolist() == np.repeat(np.arange(5), 4).tolist()
    assert primaries.pdg.reshape(5, 4).tolist() == [[22, 13, 13, 211]] * 5
    assert primaries.energy.reshape(5, 4).tolist() == [[2000.0, 1000.0, 3000.0, 2000.0]] * 5
    assert primaries.energy_of_events().tolist() == [8000.0] * 5


def test_places_and_directions_are_drawn_within_their_ranges():
    options = {"x": ["-4 cm", "4 cm"], "y": "5 mm", "theta": ["5 deg", "10 deg"], "phi": [0, 1]}
    primaries = draw_primaries([particle(**options)], 400, SEED)
    x, y, z = primaries.position.T
    assert -40 <= x.min() < -35
    assert 35 < x.max() <= 40
    assert set(y) == {5.0}
    assert set(z) == {-1.0}
    theta = np.rad2deg(np.arccos(primaries.direction[:, 2]))
    assert 5 <= theta.min() < 5.2
    assert 9.8 < theta.max() <= 10
    phi = np.arctan2(primaries.direction[:, 1], primaries.direction[:, 0])
    assert phi.min() >= 0
    assert phi.max() <= 1


def test_a_straight_direction_is_exact():
    assert np.all(draw_primaries([particle()], 3, SEED).direction == [0, 0, 1])


def test_the_other_side_is_a_matter_of_phi():
    (direction,) = draw_primaries([particle(theta="10 deg", phi="180 deg")], 1, SEED).direction
    angle = np.deg2rad(10)
    np.testing.assert_allclose(direction, [-np.sin(angle), 0, np.cos(angle)], atol=1e-12)
    (backwards,) = draw_primaries([particle(theta="180 deg")], 1, SEED).direction
    np.testing.assert_allclose(backwards, [0, 0, -1], atol=1e-12)


def test_directions_are_uniform_in_solid_angle():
    primaries = draw_primaries([particle(theta=[0, np.pi], phi=[-np.pi, np.pi])], 20000, SEED)
    np.testing.assert_allclose(primaries.direction.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose((primaries.direction**2).mean(axis=0), 1 / 3, atol=0.01)


def test_another_particle_in_the_card_does_not_move_the_first():
    alone, both = (draw_primaries(c, 4, SEED) for c in ([particle()], [particle(), particle()]))
    np.testing.assert_array_equal(alone.position, both.position[::2])


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"particle": "gama"}, "unknown particle"),
        ({"energy": "65"}, "energy"),
        ({"energy": "4GeV..1GeV"}, "lower to the higher"),
        ({"x": [3, 1]}, "lower to the higher"),
        ({"theta": ["10 deg", "5 deg"]}, "lower to the higher"),
        ({"theta": ["-10 deg", "10 deg"]}, "use phi: 180deg for the other side"),
        ({"theta": "-5 deg"}, "0 to 180 deg"),
        ({"theta": [0, 4]}, "0 to 180 deg"),
        ({"count": 0}, "count"),
        ({"zz": 1}, "zz"),
    ],
)
def test_mistakes_in_a_card(options, what):
    with pytest.raises(ValidationError, match=what):
        ParticleCard.model_validate({"particle": "gamma", "energy": "1GeV", "z": 0} | options)


def columns(n=2):
    return {
        "event": np.arange(n),
        "pdg": np.full(n, 22),
        "energy": np.full(n, 1000.0),
        "position": np.zeros((n, 3)),
        "direction": np.tile([0.0, 0.0, 1.0], (n, 1)),
    }


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"event": np.array([1, 0])}, "ascend"),
        ({"event": np.array([0, 2])}, "event 2 of 2"),
        ({"energy": np.array([1.0, 0.0])}, "positive"),
        ({"direction": np.ones((2, 3))}, "unit vectors"),
        ({"pdg": np.array([22])}, "pdg has the shape"),
    ],
)
def test_primaries_of_one_s_own_are_checked(changes, what):
    with pytest.raises(EventsError, match=what):
        Primaries(**columns() | changes, n_events=2)
