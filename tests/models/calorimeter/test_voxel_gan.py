from itertools import pairwise

import pytest
import torch
from torch import nn

from simulacra.detectors import load_detector
from simulacra.models.calorimeter.voxel_gan import EnergyRange, VoxelGAN, VoxelGANConfig

SECOND = VoxelGANConfig(
    noise="normal", energy="log", activation="swish", batch_norm=True, gradient_penalty=3.0
)


@pytest.fixture(scope="module")
def voxels():
    return load_detector("atlas-voxels")


def network(detector, config, conditions=1):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VoxelGAN(config, detector, conditions)


def shapes(layers):
    return [(m.in_features, m.out_features) for m in layers if isinstance(m, nn.Linear)]


def test_default_layers_are_those_of_the_first_trainer(voxels):
    model = network(voxels, VoxelGANConfig())
    assert shapes(model.generator.layers) == list(pairwise((51, 50, 100, 200, 368)))
    assert shapes(model.critics.score.layers) == list(pairwise((369, 368, 368, 368, 1)))
    kinds = {type(m) for m in (*model.generator.layers, *model.critics.score.layers)}
    assert kinds == {nn.Linear, nn.ReLU}
    assert isinstance(model.generator.activation, nn.ReLU)
    assert model.critics.penalty == 10


def test_weights_begin_as_glorot_normal(voxels):
    for layer in network(voxels, VoxelGANConfig()).generator.layers:
        if isinstance(layer, nn.Linear):
            width = (2 / (layer.in_features + layer.out_features)) ** 0.5
            assert layer.weight.std().item() == pytest.approx(width, rel=0.06)
            assert not layer.bias.any()


def test_second_trainer_normalises_and_swishes(voxels):
    kinds = [type(m) for m in network(voxels, SECOND).generator.layers]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.SiLU] * 3 + [nn.Linear]


@pytest.mark.parametrize("noise", ["uniform", "normal"])
def test_noise_is_the_trainers(voxels, noise):
    """What the first layer is given, seen by a generator that passes it on."""
    model = network(voxels, VoxelGANConfig(noise=noise))
    seen = []
    model.generator.layers.register_forward_pre_hook(lambda _, given: seen.append(given[0][:, :50]))
    normal = torch.randn((4000, 50), generator=torch.Generator().manual_seed(1))
    model.sample(torch.zeros(4000, 1), normal)
    (own,) = seen
    mean, width = (0.0, 1 / 3**0.5) if noise == "uniform" else (0.5, 0.5)
    assert own.mean().item() == pytest.approx(mean, abs=0.01)
    assert own.std().item() == pytest.approx(width, rel=0.01)
    if noise == "uniform":
        assert own.abs().max() <= 1
        quarters = torch.quantile(own.flatten()[:100_000], torch.tensor([0.25, 0.5, 0.75]))
        torch.testing.assert_close(quarters, torch.tensor([-0.5, 0.0, 0.5]), atol=0.02, rtol=0)


def test_energy_is_given_within_the_range_of_training(voxels):
    energies = torch.tensor([[256.0], [4096.0], [65536.0]])
    linear, log = EnergyRange(voxels, "linear"), EnergyRange(voxels, "log")
    for encoder in (linear, log):
        encoder.fit(energies)
    torch.testing.assert_close(linear(energies), energies / 65536)
    torch.testing.assert_close(log(energies), torch.tensor([[0.0], [0.5], [1.0]]))


def test_one_energy_alone_is_no_range(voxels):
    energies = torch.full((4, 1), 1000.0)
    encoder = EnergyRange(voxels, "log")
    encoder.fit(energies)
    assert not encoder(energies).any()


def test_critic_sees_energy_beside_scaled_voxels(voxels):
    model = network(voxels, VoxelGANConfig(critic_widths=(), voxel_scale=10.0))
    (layer,) = model.critics.score.layers
    fractions, energy = torch.rand(2, 368) / 368, torch.rand(2, 1)
    expected = layer(torch.cat([10 * fractions, energy], dim=1))
    torch.testing.assert_close(model.critics.score(fractions, energy), expected)


def test_no_voxel_is_negative_and_some_are_empty(voxels):
    model = network(voxels, VoxelGANConfig())
    noise = torch.randn((20, 50), generator=torch.Generator().manual_seed(1))
    cells = model.sample(torch.full((20, 1), 0.5), noise)
    assert cells.min() == 0
    assert cells.max() > 0
