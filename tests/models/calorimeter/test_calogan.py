import pytest
import torch
from torch import nn

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models.calorimeter.calogan import (
    Averaged,
    CaloGAN,
    CaloGANConfig,
    InPainting,
)
from tests.conftest import SMALL_MODELS

LAYERS = ((3, 96), (12, 12), (12, 6))
SMALL = CaloGANConfig.model_validate(SMALL_MODELS["calogan"])
pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture
def network():
    return CaloGAN(SMALL, load_detector("calogan"), 1)


def weights(module):
    return sum(p.numel() for p in module.parameters())


def tower_weights(rows, columns, latent=1024):
    """Dense, convolution, batch norm and two locally connected layers, as published."""
    image, larger = (rows + 2) * (columns + 2), (rows + 1) * (columns + 1)
    dense = (latent + 1) * 36 * image
    convolution, norm = 36 * 16 * 4 + 16, 2 * 16
    return dense + convolution + norm + larger * (16 * 4 * 6 + 6) + rows * columns * 6 * 4


def test_published_sizes():
    network = CaloGAN(CaloGANConfig(), load_detector("calogan"), 1)
    for tower, (rows, columns) in zip(network.generator.towers, LAYERS, strict=True):
        assert weights(tower) == tower_weights(rows, columns)
    for transfer, (rows, columns) in zip(network.generator.transfers, LAYERS[1:], strict=True):
        assert weights(transfer) == rows * columns * (2 * 9 * 2 + 2)
    # rows 3, 3, 4, 5 and 12, 12, 13, 14; columns 96, 48, 49, 25 and 12, 6, 7, 4 and 6, 3, 4, 3
    widths = [8 * 5 * 25, 8 * 14 * 4, 8 * 14 * 3]
    numbers = [
        features.alike.places.in_features for features in network.critics.discriminator.layers
    ]
    assert numbers == widths
    # of each layer also its likeness, its sparsity and that one's likeness; and of the energies
    assert network.critics.discriminator.logit.in_features == sum(widths) + 3 * 21 + 3 + 3 + 10


def test_carry_is_the_published_pooling():
    upsampled = nn.Sequential(nn.Upsample(scale_factor=(4.0, 1.0)), nn.AvgPool2d((1, 8)))
    images = torch.randn(2, 1, 3, 96)
    torch.testing.assert_close(Averaged((3, 96), (12, 12))(images), upsampled(images))
    images = torch.randn(2, 1, 12, 12)
    torch.testing.assert_close(Averaged((12, 12), (12, 6))(images), nn.AvgPool2d((1, 2))(images))


def test_transfer_starts_switched_off_and_can_be_learned():
    transfer = InPainting((3, 96), (12, 12))
    primary, before = torch.rand(2, 1, 12, 12), torch.rand(2, 1, 3, 96)
    torch.testing.assert_close(transfer(primary, before), primary, rtol=0, atol=0.01)
    with torch.no_grad():
        transfer.attention.bias[..., 1] = 20
    torch.testing.assert_close(transfer(primary, before), transfer.carry(before))


def test_energy_is_the_length_of_the_latent_vector(network):
    """Conditioning is by z E / unit: twice the energy is twice the vector, and nothing else."""
    network.eval()
    noise, energy = torch.randn(5, SMALL.latent), torch.rand(5, 1) + 0.1
    torch.testing.assert_close(network.sample(2 * energy, noise), network.sample(energy, 2 * noise))


def test_cells_are_exactly_empty_or_positive(network):
    cells = network.sample(torch.ones(50, 1), torch.randn(network.noise_shape(50)))
    assert cells.shape == (50, 504)
    assert cells.min() == 0
    assert 0.1 < (cells == 0).float().mean() < 0.9


def test_discriminator_is_told_energies_of_layers_and_their_sum(network):
    """Two GeV in the first layer and 10 in the last, where 10 were asked for, and 20 where 10."""
    cells = torch.zeros(2, 504)
    cells[:, 0], cells[:, -1] = 2.0, torch.tensor([10.0, 18.0])
    config = SMALL.model_copy(update={"energy_unit": 100.0})
    discriminator = network.critics.discriminator
    discriminator.config = config
    parts = torch.split(cells, discriminator.sizes, dim=1)
    layers, total, off, far_off, alike = discriminator._energies(parts, torch.full((2, 1), 0.1))
    torch.testing.assert_close(layers, torch.tensor([[0.2, 0.0, 1.0], [0.2, 0.0, 1.8]]))
    torch.testing.assert_close(total, torch.tensor([[0.12], [0.2]]))
    torch.testing.assert_close(off, torch.tensor([[2.0], [10.0]]))
    torch.testing.assert_close(far_off, torch.tensor([[0.0], [10.0]]))
    assert alike.shape == (2, SMALL.minibatch[0])


def test_sparsity_is_counted_and_gives_no_gradient(network):
    features = network.critics.discriminator.layers[1]
    cells = torch.zeros(4, 144)
    cells[:, :36] = 0.5
    cells.requires_grad_(True)
    sparsity = features(cells)[:, -1]
    assert torch.equal(sparsity, torch.full((4,), 0.25))
    (gradient,) = torch.autograd.grad(sparsity.sum(), cells)
    assert not gradient.any()


def test_generator_loss_has_the_energy(network):
    """0.05 GeV^-1 times the mean of |E_tot - E|: 1 and 3 GeV off."""
    cells = torch.zeros(2, 504)
    cells[:, 3] = torch.tensor([11.0, 7.0])
    terms = network.critics.judge(cells, torch.full((2, 1), 10.0 / SMALL.energy_unit))
    assert terms["energy"].item() == pytest.approx(0.05 * 2.0)
    assert set(terms) == {"generator", "energy"}
    assert set(network.critics(cells, cells, torch.ones(2, 1), torch.ones(2, 1))) == {
        "real",
        "fake",
    }


def test_energy_enters_in_the_unit(barrel):
    columns = torch.zeros(2, len(barrel.conditions))
    columns[:, 0] = torch.tensor([5e4, 1e5])  # MeV
    encoded = CaloGAN.encoder_for(CaloGANConfig(), barrel)(columns)
    torch.testing.assert_close(encoded, torch.tensor([[0.5], [1.0]]))


def test_needs_cartesian_layers():
    with pytest.raises(CardError, match="model calogan needs layers of Cartesian cells, par04-siw"):
        CaloGAN(SMALL, load_detector("par04-siw"), 1)
    with pytest.raises(CardError, match="model calogan needs a calorimeter"):
        CaloGAN(SMALL, load_detector("alice-tpc"), 1)
