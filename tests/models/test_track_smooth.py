"""The smooth numbers of a track, and how large they are."""

import pytest
import torch

from simulacra.models.track_smooth import FATE, SIDES, SmoothNumbers, fate
from simulacra.transforms.effective_helix import PARAMETERS

TRACK, SEEN, PLACE, COEFFICIENTS, PURE = 6, 4, 2, (7, 8), 5


@pytest.fixture(scope="module")
def smooth():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        found = SmoothNumbers(COEFFICIENTS, PURE, TRACK, (SEEN, PLACE), 16, 1, 2)
        torch.nn.init.normal_(found.shapes[-1].weight, std=0.1)
    return found


def drawn(smooth, known, n=40):
    rng = torch.Generator().manual_seed(2)
    track, seen = torch.randn((n, TRACK), generator=rng), torch.rand((n, SEEN), generator=rng)
    with torch.no_grad():
        size = smooth.sample_size(
            track, torch.zeros(n, 1), torch.ones(n, 1), torch.randn((n, SIDES), generator=rng)
        )
        noise = torch.randn((n, smooth.number), generator=rng)
        numbers = smooth.sample(track, size, (seen, torch.zeros(n, PLACE)), known, noise)
        typical = smooth.typical(track, seen)
    return size, numbers, typical


def test_coefficients_are_of_the_size_that_was_drawn(smooth):
    known = torch.ones(40, smooth.number, dtype=torch.bool)
    known[:10, PARAMETERS + 3 : PARAMETERS + COEFFICIENTS[0]] = False
    size, numbers, typical = drawn(smooth, known)
    measured = smooth.size(numbers, known, typical)
    assert torch.allclose(measured.log, size.log, atol=1e-3)


def test_a_track_of_which_no_coefficient_is_known_is_finite(smooth):
    _, numbers, _ = drawn(smooth, torch.zeros(40, smooth.number, dtype=torch.bool))
    assert torch.isfinite(numbers).all()


def test_far_and_kinked_are_told_apart(smooth):
    known = torch.ones(3, smooth.number, dtype=torch.bool)
    typical = torch.zeros(3, PARAMETERS + sum(COEFFICIENTS))
    found = torch.full((3, smooth.number), 0.5)
    found[1, 0] = 10.0  # of the helix
    found[2, PARAMETERS : PARAMETERS + COEFFICIENTS[0]] = 4.0  # across
    size = smooth.size(found, known, typical)
    assert size.far[:, 0].tolist() == [0, 1, 0]
    assert size.kinked[:, 0].tolist() == [0, 0, 1]
    assert size.broken[:, 0].tolist() == [0, 1, 1]
    assert fate(torch.zeros(3, TRACK), size).shape == (3, TRACK + FATE)
