"""The mean of a track's scores in each group of pads."""

import torch

from simulacra.detectors import load_detector
from simulacra.models.track_levels import GroupLevels


def test_scores_get_the_levels_that_are_drawn():
    levels = GroupLevels(load_detector("alice-tpc"))
    rng = torch.Generator().manual_seed(1)
    present = (torch.rand((50, 159), generator=rng) < 0.8).float()
    present[:10, 62:64] = 1
    present[:10, 64:] = 0  # one cluster in the second group, none in the third
    scores = torch.randn((50, 159), generator=rng)
    wanted = torch.randn((50, levels.groups), generator=rng)
    found = levels.moved(scores, present, wanted)
    known = levels.known(present)
    assert known[:10].tolist() == [[True, False, False]] * 10
    assert torch.allclose(levels.of(found * present, present)[known], wanted[known], atol=1e-5)
    assert torch.equal(found[:10, 63:], scores[:10, 63:])  # too few to have one
    # within a group all are moved alike
    assert torch.allclose((found - scores)[:, :63].std(dim=1), torch.zeros(50), atol=1e-5)
