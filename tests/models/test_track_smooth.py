"""The smooth numbers of a track, and how large they are."""

import pytest
import torch

from simulacra.models.track_smooth import SmoothNumbers
from simulacra.models.track_traits import SIDES, TRAITS, Traits
from simulacra.transforms.effective_helix import PARAMETERS

TRACK, SEEN, PLACE, COEFFICIENTS, PURE = 6, 4, 2, (7, 8), 5


@pytest.fixture(scope="module")
def smooth():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        found = SmoothNumbers(COEFFICIENTS, PURE, TRACK, (SEEN, PLACE), 16, 2)
        torch.nn.init.normal_(found.shapes[-1].weight, std=0.1)
    return found


def drawn(smooth, known, n=40):
    rng = torch.Generator().manual_seed(2)
    track, seen = torch.randn((n, TRACK), generator=rng), torch.rand((n, SEEN), generator=rng)
    with torch.no_grad():
        log_size = torch.randn((n, SIDES), generator=rng)
        traits = Traits(torch.zeros(n, 1), torch.ones(n, 1), log_size, torch.ones(n, 1))
        noise = torch.randn((n, smooth.number), generator=rng)
        numbers = smooth.sample(track, traits, (seen, torch.zeros(n, PLACE)), known, noise)
        typical = smooth.typical(track, seen)
    return traits, numbers, typical


def test_coefficients_are_of_the_size_that_was_drawn(smooth):
    known = torch.ones(40, smooth.number, dtype=torch.bool)
    known[:10, PARAMETERS + 3 : PARAMETERS + COEFFICIENTS[0]] = False
    traits, numbers, typical = drawn(smooth, known)
    measured = smooth.traits(numbers, known, typical, traits.dedx)
    assert torch.allclose(measured.log_size, traits.log_size, atol=1e-3)
    assert smooth.sizes_known(known).all()


def test_a_track_of_which_no_coefficient_is_known_is_finite(smooth):
    _, numbers, _ = drawn(smooth, torch.zeros(40, smooth.number, dtype=torch.bool))
    assert torch.isfinite(numbers).all()


def test_far_and_kinked_are_told_apart(smooth):
    known = torch.ones(3, smooth.number, dtype=torch.bool)
    typical = torch.zeros(3, PARAMETERS + sum(COEFFICIENTS))
    found = torch.full((3, smooth.number), 0.5)
    found[1, 0] = 10.0  # of the helix
    found[2, PARAMETERS : PARAMETERS + COEFFICIENTS[0]] = 4.0  # across
    traits = smooth.traits(found, known, typical, torch.zeros(3, 1))
    assert traits.far[:, 0].tolist() == [0, 1, 0]
    assert traits.kinked[:, 0].tolist() == [0, 0, 1]
    assert traits.broken[:, 0].tolist() == [0, 1, 1]
    assert traits.beside(torch.zeros(3, TRACK)).shape == (3, TRACK + TRAITS)
