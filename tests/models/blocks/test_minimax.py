import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy

from simulacra.models.blocks.minimax import MinimaxCritic


class Given(nn.Module):
    """A discriminator whose logit is the sample itself."""

    def forward(self, x, conditions):
        return x


def test_losses_are_cross_entropies():
    real, fake = torch.tensor([[2.0], [-1.0]]), torch.tensor([[0.5], [3.0]])
    critic, nothing = MinimaxCritic(Given()), torch.zeros(2, 0)
    losses = critic(real, fake, nothing, nothing)
    one, zero = torch.ones(2, 1), torch.zeros(2, 1)
    torch.testing.assert_close(losses["real"], binary_cross_entropy(real.sigmoid(), one))
    torch.testing.assert_close(losses["fake"], binary_cross_entropy(fake.sigmoid(), zero))
    generator = critic.judge(fake, nothing)["generator"]
    torch.testing.assert_close(generator, binary_cross_entropy(fake.sigmoid(), one))


def test_a_sure_discriminator_still_gives_a_gradient():
    fake = torch.tensor([[-200.0]], requires_grad=True)
    loss = MinimaxCritic(Given()).judge(fake, torch.zeros(1, 0))["generator"]
    (gradient,) = torch.autograd.grad(loss, fake)
    assert gradient.item() == -1
