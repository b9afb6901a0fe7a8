"""What tracks are like: drawn as likely as training said, each trait given those before."""

import pytest
import torch

from simulacra.models.tpc.helix_flow.traits import OF_TRAITS, SIDES, SIZES, TrackTraits, Traits

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
    assert drawn.displaced.mean().item() == pytest.approx(logits[1].sigmoid().item(), abs=0.02)
    for displaced in (0.0, 1.0):
        chance = (logits[2] + displaced * logits[3]).sigmoid().item()
        here = drawn.displaced[:, 0] == displaced
        assert drawn.kinked[here].mean().item() == pytest.approx(chance, abs=0.02)
    moved = drawn._replace(log_size=drawn.log_size + 0.5)
    others = traits.losses(track, seen, moved, sized)
    assert errors["size"] < others["size"]


def test_what_is_unseen_does_not_dilute_what_is_seen():
    """Far and kinked are learned as likely as they are among seen tracks: the least loss."""
    traits = seeded(TrackTraits, TRACK).requires_grad_(True)
    rng = torch.Generator().manual_seed(2)
    seen = (torch.rand((4000, 1), generator=rng) < 0.7).float()
    displaced, kinked = (
        (torch.rand((4000, 1), generator=rng) < p).float() * seen for p in (0.3, 0.2)
    )
    last = traits.choices[-1]
    with torch.no_grad():
        last.weight.zero_()
        for place, column in enumerate((displaced, kinked)):
            chance = column.sum() / seen.sum()
            last.bias[place + 1] = torch.logit(chance)
        last.bias[3] = 0.0
    marks = Traits(displaced, kinked, torch.zeros(4000, SIDES))
    sized = torch.zeros(4000, SIDES, dtype=torch.bool)
    traits.losses(torch.zeros(4000, TRACK), seen, marks, sized)["choices"].backward()
    assert last.bias.grad[1:3].abs().max() < 1e-6
