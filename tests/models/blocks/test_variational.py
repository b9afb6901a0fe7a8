import torch
from torch.distributions import Normal, kl_divergence

from simulacra.models.blocks.variational import divergence_from_normal, drawn


def test_divergence_is_that_of_gaussians():
    rng = torch.Generator().manual_seed(1)
    mean, log_variance = torch.randn((2, 6, 4), generator=rng)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(divergence_from_normal(mean, log_variance), expected)


def test_gradients_flow_to_mean_and_width():
    """z = m + e exp(v / 2): dz/dm = 1 and dz/dv = (z - m) / 2."""
    mean = torch.full((500, 2), 3.0, requires_grad=True)
    log_variance = torch.full((500, 2), 0.5).log().mul(2).requires_grad_(True)
    z = drawn(mean, log_variance, torch.Generator().manual_seed(1))
    assert abs(float(z.detach().std()) - 0.5) < 0.05
    to_mean, to_width = torch.autograd.grad(z.sum(), (mean, log_variance))
    assert torch.equal(to_mean, torch.ones_like(to_mean))
    torch.testing.assert_close(to_width, ((z - mean) / 2).detach())
