"""What tracks are like: drawn as likely as training said, each trait given those before."""

import pytest
import torch

from simulacra.models.track_traits import OF_TRAITS, SIDES, SIZES, TrackTraits

TRACK = 3


def seeded(module, *arguments):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return module(*arguments).requires_grad_(False)


@pytest.fixture(scope="module")
def white():
    return torch.randn((20_000, OF_TRAITS), generator=torch.Generator().manual_seed(1))


def test_traits_are_drawn_as_likely_as_their_errors_say(white):
    """The cross-entropy of draws is the entropy: no other distribution has a smaller one."""
    traits = seeded(TrackTraits, TRACK)
    track = torch.zeros(len(white), TRACK)
    seen, drawn = traits.drawn(track, white)
    assert drawn.log_size.shape == (len(white), SIDES)
    assert drawn.log_size.min() >= SIZES[0]
    sized = torch.ones(len(white), SIDES, dtype=torch.bool)
    errors = traits.losses(track, seen, drawn, sized)
    logits = traits.choices(track[:1])[0]
    assert seen.mean().item() == pytest.approx(logits[0].sigmoid().item(), abs=0.02)
    assert drawn.far.mean().item() == pytest.approx(logits[1].sigmoid().item(), abs=0.02)
    for far in (0.0, 1.0):
        chance = (logits[2] + far * logits[3]).sigmoid().item()
        here = drawn.far[:, 0] == far
        assert drawn.kinked[here].mean().item() == pytest.approx(chance, abs=0.02)
    moved = drawn._replace(log_size=drawn.log_size + 0.5)
    others = traits.losses(track, seen, moved, sized)
    assert errors["size"] < others["size"]
