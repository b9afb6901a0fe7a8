"""The smooth numbers of a track, and how large they are."""

import pytest
import torch

from simulacra.models.tpc.helix_flow.smooth import SmoothNumbers
from simulacra.models.tpc.helix_flow.traits import SIDES, TRAITS
from simulacra.transforms.tpc.effective_helix import PARAMETERS

FEATURES, CONTEXT, COEFFICIENTS, PURE = 6, 9, (7, 8), 5


@pytest.fixture(scope="module")
def smooth():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        found = SmoothNumbers(COEFFICIENTS, PURE, FEATURES, CONTEXT, 16, 2)
        torch.nn.init.normal_(found.shapes[-1].weight, std=0.1)
    return found


def drawn(smooth, known, n=40):
    rng = torch.Generator().manual_seed(2)
    context = torch.randn((n, CONTEXT), generator=rng)
    with torch.no_grad():
        typical = smooth.typical(torch.randn((n, FEATURES), generator=rng))
        log_size = torch.randn((n, SIDES), generator=rng)
        noise = torch.randn((n, smooth.number), generator=rng)
        numbers = smooth.sample(context, typical, log_size, known, noise)
    return log_size, numbers, typical


def test_coefficients_are_of_the_size_that_was_drawn(smooth):
    known = torch.ones(40, smooth.number, dtype=torch.bool)
    known[:10, PARAMETERS + 3 : PARAMETERS + COEFFICIENTS[0]] = False
    log_size, numbers, typical = drawn(smooth, known)
    measured = smooth.traits(numbers, known, typical)
    assert torch.allclose(measured.log_size, log_size, atol=1e-3)
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
    traits = smooth.traits(found, known, typical)
    assert traits.displaced[:, 0].tolist() == [0, 1, 0]
    assert traits.kinked[:, 0].tolist() == [0, 0, 1]
    assert traits.broken[:, 0].tolist() == [0, 1, 1]
    assert traits.concatenated(torch.zeros(3, FEATURES)).shape == (3, FEATURES + TRAITS)
