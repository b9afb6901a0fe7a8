import pytest
import torch
from torch import nn

from simulacra.detectors import load_detector
from simulacra.models.blocks.merged_flows import TableShape
from simulacra.models.blocks.track_vae import TableAutoencoder
from simulacra.models.tpc.vae import VAE, VAEConfig

NONE = torch.zeros(3, 0)


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x, conditions):
        return self.value


def test_terms_of_a_hand_made_autoencoder():
    """A posterior N(1, 1) is half a nat away; a decoder off by two widths costs 2 per number."""
    table = torch.full((3, 10, 2), 0.3)
    latent = torch.cat([torch.ones(3, 5), torch.zeros(3, 5)], dim=1)
    shape = TableShape(10, 2, 0, {"charges": slice(0, 2)})
    autoencoder = TableAutoencoder(Constant(latent), Constant(table + 0.2), 0.1, shape)
    terms = autoencoder.losses(table, NONE, torch.Generator().manual_seed(1))
    assert terms["reconstruction"].item() == pytest.approx(2.0)
    assert terms["divergence"].item() == pytest.approx(5 * 0.5 / 20)


def test_flows_have_their_own_terms_and_their_own_noise():
    network = VAE(VAEConfig(latent=3, widths=(8,)), load_detector("alice-tpc"), conditions=9)
    rng = torch.Generator().manual_seed(1)
    features, conditions = torch.rand((5, 160, 6), generator=rng), torch.randn(5, 9, generator=rng)
    terms = network.losses(features, conditions, rng)
    assert set(terms) == {
        f"{flow}_{term}"
        for flow in ("positions", "charges")
        for term in ("reconstruction", "divergence")
    }
    noise = torch.randn(network.noise_shape(5), generator=rng)
    other = noise.clone()
    other[:, 3:] += 1
    first, second = network.sample(conditions, noise), network.sample(conditions, other)
    assert torch.equal(first[..., :4], second[..., :4])
    assert not torch.equal(first[..., 4:], second[..., 4:])
    assert torch.equal(first, network.sample(conditions + 1, noise))
