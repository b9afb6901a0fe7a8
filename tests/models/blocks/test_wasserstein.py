import pytest
import torch
from torch import nn

from simulacra.models import Clipped
from simulacra.models.blocks.wasserstein import ClippedCritic, WassersteinCritic

NOTHING = torch.zeros(4, 0)


class Linear(nn.Module):
    """A score w x of samples, whatever the conditions."""

    def __init__(self, *weights):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))

    def forward(self, x, conditions):
        return x @ self.weights[:, None]


def test_losses_are_differences_of_mean_scores():
    real = torch.tensor([[1.0, 0.0], [3.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    fake = torch.tensor([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 5.0]])
    critic = WassersteinCritic(Linear(3.0, 4.0))
    losses = critic(real, fake, NOTHING, torch.zeros(4, 1))
    assert {name: loss.item() for name, loss in losses.items()} == {"wasserstein": 8.0 - 6.0}
    assert critic.judge(fake, NOTHING)["generator"].item() == -8.0


def test_penalty_of_a_linear_critic():
    """|grad (w x)| = |w| = 5 everywhere: the penalty is 16 times its weight."""
    critic = WassersteinCritic(Linear(3.0, 4.0), penalty=3.0)
    real, fake = torch.rand(2, 4, 2)
    assert critic(real, fake, NOTHING, torch.rand(4, 1))["penalty"].item() == pytest.approx(48.0)


def test_weights_are_clipped_and_no_others():
    critic = ClippedCritic(Linear(0.5, -0.02, 0.005), bound=0.01)
    assert isinstance(critic, Clipped)
    assert not isinstance(WassersteinCritic(Linear(1.0)), Clipped)
    critic.clip()
    torch.testing.assert_close(critic.score.weights.detach(), torch.tensor([0.01, -0.01, 0.005]))
